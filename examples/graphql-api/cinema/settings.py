"""The settings of a cinema that speaks GraphQL only. What Sentinel needs stands between the two marks."""

from __future__ import annotations

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "django-insecure-for-trying-out-only-w8r2t6y4u0p5"
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "cinema.urls"
WSGI_APPLICATION = "cinema.wsgi.application"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "strawberry_django",
    "films",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "db.sqlite3",
        # Several threads write: each waits its turn from the start, instead of failing half way.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"

# >>> Sentinel
INSTALLED_APPS += ["ip_tracking", "metrics"]
MIDDLEWARE.insert(0, "metrics.middleware.MetricsMiddleware")
MIDDLEWARE.insert(2, "ip_tracking.middleware.SentinelMiddleware")  # after SecurityMiddleware
AUTHENTICATION_BACKENDS.insert(0, "ip_tracking.auth.GateBackend")  # counts each login of a document by itself
IP_TRACKING = {
    "STORE_URL": os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"),
    "TRUSTED_PROXIES": ["127.0.0.0/8"],  # so that X-Forwarded-For can say who you are while you try this out
    "RECORD": "thread",  # no Celery here: this process stores its own requests
    "KINDS": {"graphql": "graphql"},  # refused in GraphQL's own shape
    "POLICIES": {
        "graphql": {
            "rates": ["30/m"],
            "kinds": ["graphql"],
            "why": "A page of our site asks two or three times.",
        },
    },
}
# <<< Sentinel
