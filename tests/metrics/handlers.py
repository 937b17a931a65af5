"""Stands where a server would: reads so much of an answer's body, then ends it as servers do."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from wsgiref.util import FileWrapper

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import AsyncRequestFactory, RequestFactory

ALL = 1_000


@contextmanager
def no_database() -> Iterator[None]:
    """As Django's own test client: what another test left connected is none of this one's business."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


# How a WSGI server ends a body.
close: Callable[[Any], None] = lambda body: body.close()  # noqa: E731


def close_twice(body: Any) -> None:
    body.close()
    body.close()


def forget(body: Any) -> None:
    """Never calls close, though the standard says it must."""


def wsgi(
    path: str, *, method: str = "GET", parts: int = ALL, end: Callable[[Any], None] = close, wrapper: Any = None
) -> bytes:
    """Returns what it read."""
    environ = RequestFactory().generic(method, path).environ
    if wrapper is not None:
        environ["wsgi.file_wrapper"] = wrapper
    with no_database():
        body: Any = WSGIHandler()(environ, lambda status, headers: None)
        read = b""
        try:
            for _, part in zip(range(parts), body, strict=False):
                read += part
        finally:
            end(body)
    return read


class SendingFile(FileWrapper):
    """What a server with sendfile does: the system reads the file, whose place in the end is its start."""

    def __iter__(self) -> SendingFile:
        self._sent = False
        return self

    def __next__(self) -> bytes:
        if self._sent:
            raise StopIteration
        self._sent = True
        data = self.filelike.read()
        self.filelike.seek(0)
        return bytes(data)


def asgi(path: str, *, method: str = "GET", parts: int = ALL, before: bool = False) -> bytes:
    """Returns what it read; the client leaves after so many parts, or `before` there is an answer."""
    with no_database():
        read = asyncio.run(_asgi(path, method, parts, before))
    with warnings.catch_warnings():
        # Where a body raises, Django forgets the file it keeps the request's own body in.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return read


async def _asgi(path: str, method: str, parts: int, before: bool) -> bytes:
    request = AsyncRequestFactory().generic(method, path)
    messages = [{"type": "http.request", "body": b"", "more_body": False}]
    read: list[bytes] = []
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        if not before:
            await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if gone.is_set():
            await asyncio.Event().wait()  # the buffer is full, and nobody empties it
        if message.get("body"):
            read.append(message["body"])
        if len(read) >= parts or (message["type"] == "http.response.body" and not message.get("more_body")):
            gone.set()

    with suppress(LookupError):  # a body's own: the server would log it
        await ASGIHandler()(request.scope, receive, send)
    return b"".join(read)
