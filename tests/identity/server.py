"""A Django project of one page, which tells callers who they are taken for: what the tests put behind a real nginx."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    IP_TRACKING={
        "TRUSTED_PROXIES": os.environ["TRUSTED_PROXIES"].split(","),
        "PROXY_HEADER": os.environ["PROXY_HEADER"],
    },
)

from ip_tracking.client import identify  # noqa: E402 - it reads the settings


def who(request: HttpRequest) -> JsonResponse:
    return JsonResponse(identify(request)._asdict())


urlpatterns = [path("", who)]

application = get_wsgi_application()
