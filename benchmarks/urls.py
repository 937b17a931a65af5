"""One view, as it is and under `django_ratelimit`."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django_ratelimit.decorators import ratelimit


def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"ok")


urlpatterns = [
    path("bare/", bare, name="bare"),
    path("limited/", ratelimit(key="ip", rate="1000000/m")(bare), name="limited"),
]
