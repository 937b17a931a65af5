"""A project of a few views, for the benchmarks."""

from __future__ import annotations

import os
from typing import Any

import environ

SECRET_KEY = "for measuring only, and long enough to please everybody"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "benchmarks.urls"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "ip_tracking", "metrics"]
AUTHENTICATION_BACKENDS = ["ip_tracking.auth.GateBackend"]
SILENCED_SYSTEM_CHECKS = ["django_ratelimit.W001"]
BENCH_STORE = os.environ["BENCH_STORE"]
DATABASES: dict[str, Any] = {
    "default": {
        **environ.Env.db_url_config(os.environ["BENCH_DATABASE"]),
        # To the favour of who writes a row in each request: no connecting, no waiting for the disk.
        "CONN_MAX_AGE": None,
        "OPTIONS": {"options": "-c synchronous_commit=off"},
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": BENCH_STORE}}

# Three policies that cover everything and refuse nothing, instead of the shipped ones; and one route that is shut.
POLICIES: dict[str, Any] = {
    "site": {"rates": ["1000000/m"], "why": "measured"},
    "burst": {"rates": ["100000/s"], "routes": ["*"], "why": "measured"},
    "daily": {"rates": ["100000000/d"], "routes": ["*"], "key": "network", "why": "measured"},
    "shut": {"rates": ["1/d"], "routes": ["refused"], "why": "measured"},
    **dict.fromkeys(["login", "login-hourly", "login-account", "login-device", "payment", "payment-declines"]),
}
IP_TRACKING = {
    "STORE_URL": BENCH_STORE,
    "STORE_TIMEOUT_S": 1.0,
    "TRUSTED_PROXIES": ["10.0.0.0/8"],
    "POLICIES": POLICIES,
    "KINDS": {"bare": "catalogue"},
}
