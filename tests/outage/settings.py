"""A small project around the door, with a stopwatch before and behind it. Limits and cache share one Redis."""

from __future__ import annotations

import os

SECRET_KEY = "a key of the outage test, long enough to please the checks, and random 27d90e"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "tests.outage.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "ip_tracking", "metrics"]
MIDDLEWARE = [
    "tests.outage.stopwatch.Before",
    "metrics.middleware.MetricsMiddleware",
    "tests.outage.stopwatch.ReadTheCache",
    "ip_tracking.middleware.SentinelMiddleware",
    "tests.outage.stopwatch.Behind",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["OUTAGE_DATABASE"],
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode=WAL;"},
    }
}
CACHES = {"default": {"BACKEND": "metrics.cache.RedisCache", "LOCATION": os.environ["OUTAGE_STORE"]}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"django.request": {"level": "CRITICAL"}},  # a line for each 429 and 503 that is meant
}
WHY = "for a test"
IP_TRACKING = {
    "STORE_URL": os.environ["OUTAGE_STORE"],
    "TRUSTED_PROXIES": ["127.0.0.1"],
    "RECORD": "off",  # the store alone is measured
    "POLICIES": {
        "site": {"rates": ["1000000/m"], "why": WHY},
        "five": {"rates": ["5/m"], "routes": ["five"], "store_away": "open", "why": WHY},
        "counted-here": {"rates": ["1000000/m"], "routes": ["degraded"], "store_away": "degraded", "why": WHY},
        "closed": {"rates": ["1000000/m"], "routes": ["closed"], "store_away": "closed", "why": WHY},
    },
}
