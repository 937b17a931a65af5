"""The small site as its own project, for real servers: `tests.metrics.served:wsgi` and `:asgi`."""

from __future__ import annotations

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="for these tests only",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["metrics"],
    MIDDLEWARE=["metrics.middleware.MetricsMiddleware"],
    ROOT_URLCONF="tests.metrics.urls",
    METRICS={"STRICT": True},
)
django.setup()

from django.core.handlers.asgi import ASGIHandler  # noqa: E402 - needs the settings
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402

wsgi = WSGIHandler()
asgi = ASGIHandler()
