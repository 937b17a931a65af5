"""The small site with an error page that is an error itself."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from tests.metrics.urls import urlpatterns  # noqa: F401 - Django reads it here


def handler500(request: HttpRequest) -> HttpResponse:
    raise KeyError
