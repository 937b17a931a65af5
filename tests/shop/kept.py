"""The catalogue on a cache that a busy machine does not make look absent."""

from __future__ import annotations

from django.conf import settings

PATIENT = {"default": {**settings.CACHES["default"], "OPTIONS": {"socket_timeout": 5.0, "socket_connect_timeout": 5.0}}}
