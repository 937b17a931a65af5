"""A small site for the middleware: one view for each way to end."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import include, path

from metrics.health import healthz


def product(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(f"product {number}")


async def async_product(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(f"product {number}")


def status(request: HttpRequest, code: int) -> HttpResponse:
    return HttpResponse(status=code)


def raises(request: HttpRequest, kind: str) -> HttpResponse:
    kinds = {"value": ValueError, "missing": Http404, "denied": PermissionDenied, "odd": SuspiciousOperation}
    raise kinds[kind]("a message with 203.0.113.7 in it")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_parts())


def _parts() -> Iterator[bytes]:
    raise AssertionError("the body was read")
    yield b""


shop = [
    path("products/<int:number>/", product, name="product-detail"),
    path("async-products/<int:number>/", async_product, name="async-product-detail"),
]
urlpatterns = [
    path("shop/", include((shop, "shop"))),
    path("status/<int:code>/", status, name="status"),
    path("raises/<str:kind>/", raises, name="raises"),
    path("stream/", stream, name="stream"),
    path("unnamed/", product, {"number": 1}),
    path("healthz", healthz, name="healthz"),
]
