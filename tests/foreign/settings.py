"""Somebody else's Django project, as small as one can be: ip_tracking and metrics, and nothing of ours around them."""

from __future__ import annotations

import os

SECRET_KEY = "a foreign project's key, long enough to please the checks, and random 8b1f4c"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "Asia/Kolkata"  # hours that begin at half past, UTC
ROOT_URLCONF = "tests.foreign.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "ip_tracking", "metrics"]
MIDDLEWARE = [
    "metrics.middleware.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "ip_tracking.middleware.SentinelMiddleware",
    "django.middleware.common.CommonMiddleware",
]
AUTHENTICATION_BACKENDS = ["ip_tracking.auth.GateBackend", "django.contrib.auth.backends.ModelBackend"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["FOREIGN_DATABASE"],
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }
}
IP_TRACKING = {
    "STORE_URL": os.environ["REDIS_URL"],
    "STORE_TIMEOUT_S": 2.0,
    "KEY_PREFIX": "foreign",
    "RECORD": "thread",
    "ENFORCE": "block",
    "KINDS": {"sign-in": "login"},
    "POLICIES": {"site": {"rates": ["40/m"], "why": "A page that forty a minute may read."}},
}
