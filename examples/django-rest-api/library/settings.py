"""A small library's settings, as `startproject` writes them. What Sentinel needs stands between the two marks."""

from __future__ import annotations

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "django-insecure-for-trying-out-only-k3v9x7q1m5z8"
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "library.urls"
WSGI_APPLICATION = "library.wsgi.application"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "books",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "db.sqlite3",
        # Several threads write: each waits its turn from the start, instead of failing half way.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
USE_TZ = True
TIME_ZONE = "UTC"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 20,
}

# >>> Sentinel
INSTALLED_APPS += ["ip_tracking", "metrics"]
MIDDLEWARE.insert(0, "metrics.middleware.MetricsMiddleware")
MIDDLEWARE.insert(2, "ip_tracking.middleware.SentinelMiddleware")  # after SecurityMiddleware
AUTHENTICATION_BACKENDS.insert(0, "ip_tracking.auth.GateBackend")
REST_FRAMEWORK["DEFAULT_THROTTLE_CLASSES"] = ["ip_tracking.throttling.GateThrottle"]
IP_TRACKING = {
    "STORE_URL": os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"),
    "TRUSTED_PROXIES": ["127.0.0.0/8"],  # so that X-Forwarded-For can say who you are while you try this out
    "RECORD": "thread",  # no Celery here: this process stores its own requests
    "ENFORCE": "block",
    "KINDS": {"login": "login", "admin:login": "login", "book-search": "search"},
    "POLICIES": {
        "search": {"rates": ["5/m"], "kinds": ["search"], "why": "A reader looks at what they found."},
        "exports": {"rates": ["2/h"], "key": "user", "why": "The whole catalogue; it changes once a day."},
    },
}
# <<< Sentinel
