"""The same project with REST framework in it, and nothing said about how."""

from __future__ import annotations

from tests.foreign.settings import *  # noqa: F403
from tests.foreign.settings import INSTALLED_APPS, IP_TRACKING

INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.sessions", "rest_framework"]
ROOT_URLCONF = "tests.foreign.api_urls"
IP_TRACKING = {**IP_TRACKING, "KINDS": {}, "KEY_PREFIX": "foreign-api", "BACKGROUND": False}
