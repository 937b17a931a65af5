"""The project's addresses, and some whose numbers are known beforehand. Ordinary Django views."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import include, path

from sentinel.urls import urlpatterns as project

# Of a stream that ends, and far more than a socket holds of one that the client breaks off.
PARTS, PART = 5, b"x" * 1_000
ENDLESS_PARTS = 1_000_000


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("x" * int(request.GET.get("size", 10)))


def fail(request: HttpRequest) -> HttpResponse:
    raise KeyError if "key" in request.GET else RuntimeError


def look_up(request: HttpRequest, key: str) -> HttpResponse:
    """Says whether the cache knew the key, and makes it known."""
    if cache.get(key) is not None:
        return HttpResponse("hit")
    cache.set(key, "known", 600)
    return HttpResponse("miss")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    number = ENDLESS_PARTS if "endless" in request.GET else PARTS

    def parts() -> Iterator[bytes]:
        for _ in range(number):
            yield PART

    return StreamingHttpResponse(parts())


views = [
    path("page/", page, name="page"),
    path("limited/", page, name="limited"),
    path("fail/", fail, name="fail"),
    path("look-up/<str:key>/", look_up, name="look-up"),
    path("stream/", stream, name="stream"),
]
urlpatterns = [path("truth/", include((views, "truth"))), *project]
