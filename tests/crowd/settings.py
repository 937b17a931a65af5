"""A project that signs people in and takes payments slowly, and lets five failures an hour pass."""

from __future__ import annotations

import os
from typing import Any

SECRET_KEY = "a key of the crowd's own project, long enough to please the checks, random 5d0b77"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "tests.crowd.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "ip_tracking", "metrics"]
MIDDLEWARE = ["metrics.middleware.MetricsMiddleware", "ip_tracking.middleware.SentinelMiddleware"]
AUTHENTICATION_BACKENDS = ["ip_tracking.auth.GateBackend", "tests.crowd.slow.SlowBackend"]
DATABASES: dict[str, Any] = {}
FIVE = {"rates": ["5/h"], "key": "network", "counts": "failures", "why": "Five guesses, at whatever speed."}
IP_TRACKING = {
    "STORE_URL": os.environ["REDIS_URL"],
    "STORE_TIMEOUT_S": 2.0,  # four servers and the crowd share the machine
    "TRUSTED_PROXIES": ["127.0.0.1"],
    "RECORD": "off",
    "BACKGROUND": False,
    "KINDS": {"sign-in": "login", "sign-in-async": "login", "pay": "payment", "pay-async": "payment"},
    "POLICIES": {
        **dict.fromkeys(
            ["site", "login", "login-hourly", "login-account", "login-device", "payment", "payment-declines"]
        ),
        "guesses": FIVE | {"kinds": ["login"]},
        "declines": FIVE | {"kinds": ["payment"]},
    },
}
