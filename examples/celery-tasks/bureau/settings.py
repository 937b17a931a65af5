"""The settings of a bureau de change, which has a Celery application of its own. Sentinel's stand between the marks."""

from __future__ import annotations

import os
from pathlib import Path

from ip_tracking import schedule

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "django-insecure-for-trying-out-only-b1n4m7s9d2f6"
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "bureau.urls"
WSGI_APPLICATION = "bureau.wsgi.application"

INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rates"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "db.sqlite3",
        # Several processes write: each waits its turn from the start, instead of failing half way.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode=WAL;"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
PARTNER_URL = os.environ.get("PARTNER_URL", "http://127.0.0.1:9000/rates.json")

CELERY_BROKER_URL = f"{REDIS_URL}/1"
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = {"fetch-rates": {"task": "rates.tasks.fetch_rates", "schedule": 3_600.0}}

# >>> Sentinel
INSTALLED_APPS += ["ip_tracking", "metrics"]
MIDDLEWARE.insert(0, "metrics.middleware.MetricsMiddleware")
MIDDLEWARE.insert(2, "ip_tracking.middleware.SentinelMiddleware")  # after SecurityMiddleware
AUTHENTICATION_BACKENDS.insert(0, "ip_tracking.auth.GateBackend")
CELERY_BEAT_SCHEDULE |= schedule.SCHEDULE
CELERY_TASK_ROUTES = {"ip_tracking.tasks.store_events": {"queue": "events"}}  # a worker of its own takes these
IP_TRACKING = {
    "STORE_URL": f"{REDIS_URL}/0",
    "TRUSTED_PROXIES": ["127.0.0.0/8"],  # so that X-Forwarded-For can say who you are while you try this out
    "SPOOL_DIR": str(BASE_DIR / "spool"),  # where requests wait while the broker is away
    "ENFORCE": "block",
    "KINDS": {"refresh": "refresh"},
    "POLICIES": {"refresh": {"rates": ["3/m"], "kinds": ["refresh"], "why": "Our partner charges for each call."}},
}
METRICS = {"REDIS_URLS": [f"{REDIS_URL}/0"]}
# <<< Sentinel
