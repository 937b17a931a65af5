"""The project's settings, with what would get in a unit test's way switched off."""

from sentinel.settings import *  # noqa: F403
from sentinel.settings import CACHES, INSTALLED_APPS, IP_TRACKING, METRICS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.emptying"]

# Tests call the background thread's duties themselves.
IP_TRACKING = {**IP_TRACKING, "BACKGROUND": False, "STORE_TIMEOUT_S": 2.0}
# On a busy machine an answer takes longer than a shop would wait: that is no outage.
CACHES = {"default": {**CACHES["default"], "OPTIONS": {"socket_timeout": 2.0, "socket_connect_timeout": 2.0}}}
METRICS = {**METRICS, "STRICT": True}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
