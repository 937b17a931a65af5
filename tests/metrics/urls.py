"""A small site for the middleware: one view for each way to end."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryFile

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import include, path

from metrics.health import healthz

PART = b"x" * 65_536
LARGE = 50_000_000


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


def ten(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """Ten parts of ten bytes; `broken` ones raise after two."""
    parts = _aten(kind) if kind.startswith("async") else _ten(kind)
    return StreamingHttpResponse(parts, status=202)


def _ten(kind: str) -> Iterator[bytes]:
    for number in range(10):
        if number == 2 and kind.endswith("broken"):
            raise LookupError("203.0.113.7")
        yield b"0123456789"


async def _aten(kind: str) -> AsyncIterator[bytes]:
    for part in _ten(kind):
        yield part


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(Path(__file__).open("rb"))


def pipe(request: HttpRequest) -> FileResponse:
    """A file that cannot say how far it was read."""
    reading, writing = os.pipe()
    with open(writing, "wb") as end:
        end.write(b"0123456789" * 10)
    return FileResponse(open(reading, "rb"))


def endless(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """More than any buffer between a server and its client holds."""
    return StreamingHttpResponse(_aendless() if kind == "async" else itertools.repeat(PART))


async def _aendless() -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(0)
        yield PART


def large(request: HttpRequest) -> FileResponse:
    file = TemporaryFile()  # noqa: SIM115 - the answer closes it
    file.truncate(LARGE)
    return FileResponse(file)


def never(request: HttpRequest) -> HttpResponse:
    raise SystemExit  # as gunicorn's sync worker does where a request takes too long


async def waits(request: HttpRequest) -> HttpResponse:
    await asyncio.Event().wait()
    return HttpResponse()


shop = [
    path("products/<int:number>/", product, name="product-detail"),
    path("async-products/<int:number>/", async_product, name="async-product-detail"),
]
urlpatterns = [
    path("shop/", include((shop, "shop"))),
    path("status/<int:code>/", status, name="status"),
    path("raises/<str:kind>/", raises, name="raises"),
    path("stream/", stream, name="stream"),
    path("ten/<str:kind>/", ten, name="ten"),
    path("file/", file, name="file"),
    path("pipe/", pipe, name="pipe"),
    path("endless/<str:kind>/", endless, name="endless"),
    path("large/", large, name="large"),
    path("never/", never, name="never"),
    path("waits/", waits, name="waits"),
    path("unnamed/", product, {"number": 1}),
    path("healthz", healthz, name="healthz"),
]
