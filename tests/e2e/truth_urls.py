"""The project's addresses, and some whose numbers are known beforehand. Ordinary Django views."""

from __future__ import annotations

from itertools import repeat

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import include, path

from sentinel.urls import urlpatterns as project

PART = b"x" * 1_000


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("x" * int(request.GET.get("size", 10)))


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError


def look_up(request: HttpRequest, key: str) -> HttpResponse:
    """Says whether the cache knew the key, and makes it known."""
    if cache.get(f"known:{key}") is not None:
        return HttpResponse("hit")
    cache.set(f"known:{key}", "known", 600)
    return HttpResponse("miss")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([PART] * 5))


def endless(request: HttpRequest) -> StreamingHttpResponse:
    """Of a body whose client leaves in the middle."""
    return StreamingHttpResponse(repeat(PART))


views = [
    path("page/", page, name="page"),
    path("limited/", page, name="limited"),
    path("fail/", fail, name="fail"),
    path("look-up/<str:key>/", look_up, name="look-up"),
    path("stream/", stream, name="stream"),
    path("endless/", endless, name="endless"),
]
urlpatterns = [path("truth/", include((views, "truth"))), *project]
