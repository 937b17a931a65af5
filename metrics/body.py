"""A body that is still to come when the middleware has the answer: told of once, when it ends, however it ends."""

from __future__ import annotations

import sys
from asyncio import CancelledError, sleep
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

# How a body is told that nobody waits for it any more: it is closed, or the task that reads it is cancelled.
LEFT = (GeneratorExit, CancelledError)

# Gets the bytes that went out, and what broke the body off: None at its end, one of LEFT, or an error of its own.
Ended = Callable[[int, BaseException | None], None]


class Body:
    """How far one body is. Of all who see its end (who reads it, the server that closes it) the first one tells."""

    def __init__(self, ended: Ended) -> None:
        self.size = 0
        self._ended = [ended]

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.end(error)

    def close(self) -> None:
        self.end(GeneratorExit())

    def __del__(self) -> None:
        """A server that breaks off may forget to close."""
        if not sys.is_finalizing():
            self.close()

    def end(self, error: BaseException | None) -> None:
        with suppress(IndexError):  # pop is atomic: the thread that closes may meet the one that reads
            self._ended.pop()(self.size, error)


def watch(request: HttpRequest, response: StreamingHttpResponse, ended: Ended) -> None:
    """Has `ended` called once. A file stays a file for the server that sends it by itself (wsgi.file_wrapper)."""
    body = Body(ended)
    if not (request.META.get("wsgi.file_wrapper") and _watch_file(response, body)):
        # Read as Django itself would: either kind of iterator, under either kind of server.
        parts = StreamingHttpResponse(response.streaming_content)
        is_async = isinstance(request, ASGIRequest)
        response.streaming_content = _aread(parts, body) if is_async else _read(parts, body)
        _at_close(response, body.close)


def _read(parts: StreamingHttpResponse, body: Body) -> Iterator[bytes]:
    with body:
        for part in parts:
            body.size += len(part)
            yield part


async def _aread(parts: StreamingHttpResponse, body: Body) -> AsyncIterator[bytes]:
    """Also for what is not async: Django reads that whole before it sends, which would say nothing of what went out."""
    with body:
        async for part in parts:
            body.size += len(part)
            yield part
            # A server whose client is gone takes parts without waiting (uvicorn), so that nobody would hear of it.
            await sleep(0)


def _watch_file(response: StreamingHttpResponse, body: Body) -> bool:
    """Looks how far the file was read, by the application or by the system; False where it cannot tell."""
    file: Any = getattr(response, "file_to_stream", None)  # of a FileResponse, and whatever has `read`
    try:
        start = file.tell()
    except (AttributeError, OSError, ValueError):  # no file, or one without places: a pipe, a part of a file
        return False
    whole = int(response.get("Content-Length") or 0)

    def closed() -> None:
        body.size = whole
        with suppress(OSError, ValueError):
            # A server that let the system send it has put the file back to its start, or never moved it.
            body.size = file.tell() - start or whole
        body.end(GeneratorExit() if body.size < whole else None)

    _at_close(response, closed)
    return True


def _at_close(response: Any, closed: Callable[[], None]) -> None:  # Any: no annotation knows the list
    # Django's handlers use this list too; nothing public is called before the file is closed.
    response._resource_closers.insert(0, closed)
