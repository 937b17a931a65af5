"""Bodies that are streamed: each counted once, when it ends, with what went out, however it ends."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO
from wsgiref.util import FileWrapper

import pytest

from metrics import client, emit
from metrics.catalogue import ABORTED, REQUEST_DURATION, REQUEST_EXCEPTIONS, REQUESTS, RESPONSE_SIZE
from tests.dogstatsd import Receiver
from tests.metrics import urls
from tests.metrics.handlers import SendingFile, asgi, close, close_twice, forget, wsgi

FILE_SIZE = Path(urls.__file__).stat().st_size

# Django warns that it reads the one kind of iterator under the other kind of server whole.
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")


def numbers(agent: Receiver) -> tuple[list[float], list[float], list[float], list[float]]:
    """Returns the requests, the sizes, those aborted and the exceptions."""
    emit.flush()
    return (
        agent.values(REQUESTS),
        agent.values(RESPONSE_SIZE),
        agent.values(ABORTED),
        agent.values(REQUEST_EXCEPTIONS),
    )


@pytest.mark.parametrize("serve", [wsgi, asgi])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_stream_counts_when_it_ends_with_all_its_bytes(
    agent: Receiver, serve: Callable[..., bytes], kind: str
) -> None:
    read = serve(f"/ten/{kind}/")

    assert len(read) == 100
    assert numbers(agent) == ([1], [100], [], [])
    assert agent.values(REQUESTS, route="ten", method="GET", status_class="2xx") == [1]
    assert len(agent.values(REQUEST_DURATION)) == 1


def test_a_stream_is_not_counted_before_it_ends_but_timed(agent: Receiver) -> None:
    during: list[tuple[list[float], int]] = []

    def end(body: Any) -> None:
        emit.flush()
        during.append((agent.values(REQUESTS), len(agent.values(REQUEST_DURATION))))
        body.close()

    wsgi("/ten/sync/", parts=1, end=end)

    assert during == [([], 1)]
    assert numbers(agent) == ([1], [10], [1], [])


@pytest.mark.parametrize("end", [close, close_twice, forget])
@pytest.mark.parametrize("parts", [0, 3])
def test_a_stream_whose_client_leaves_counts_once_with_what_went_out(
    agent: Receiver, end: Callable[[object], None], parts: int
) -> None:
    wsgi("/ten/sync/", parts=parts, end=end)
    gc.collect()

    assert numbers(agent) == ([1], [10 * parts], [1], [])
    assert agent.values(ABORTED, route="ten", method="GET") == [1]


@pytest.mark.parametrize("end", [close, close_twice, forget])
def test_a_stream_read_to_its_end_counts_once_however_it_is_closed(
    agent: Receiver, end: Callable[[object], None]
) -> None:
    wsgi("/ten/sync/", end=end)
    gc.collect()

    assert numbers(agent) == ([1], [100], [], [])


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_async_server_whose_client_leaves_in_the_middle(agent: Receiver, kind: str) -> None:
    """Django reads a sync iterator whole before it sends; what counts is what went out."""
    asgi(f"/ten/{kind}/", parts=3)

    requests, (size,), aborted, exceptions = numbers(agent)
    assert (requests, aborted, exceptions) == ([1], [1], [])
    assert 30 <= size <= 40  # the part that it was about to send is handed over


@pytest.mark.parametrize("serve", [wsgi, asgi])
@pytest.mark.parametrize("kind", ["sync-broken", "async-broken"])
def test_a_stream_that_breaks_counts_its_exception_and_no_client_that_left(
    agent: Receiver, serve: Callable[..., bytes], kind: str
) -> None:
    if serve is wsgi:
        with pytest.raises(LookupError):
            serve(f"/ten/{kind}/")
    else:
        serve(f"/ten/{kind}/")

    (requests, (size,), aborted, exceptions) = numbers(agent)
    assert (requests, aborted, exceptions) == ([1], [], [1])
    assert size in (0, 20)  # of the other kind of iterator nothing was sent yet
    assert agent.values(REQUEST_EXCEPTIONS, route="ten", exception="LookupError") == [1]
    assert b"203.0.113.7" not in agent.raw


@pytest.mark.parametrize("parts", [0, 1_000])
@pytest.mark.parametrize("path", ["/ten/sync/", "/file/"])
def test_the_body_of_a_head_request_is_nothing_whether_the_server_reads_it_or_not(
    agent: Receiver, path: str, parts: int
) -> None:
    wsgi(path, method="HEAD", parts=parts)

    assert numbers(agent) == ([1], [0], [], [])
    assert agent.values(REQUESTS, method="HEAD") == [1]


@pytest.mark.parametrize("wrapper", [None, FileWrapper, SendingFile])
def test_a_file_counts_with_its_size_whoever_reads_it(agent: Receiver, wrapper: type | None) -> None:
    read = wsgi("/file/", wrapper=wrapper)

    assert len(read) == FILE_SIZE
    assert numbers(agent) == ([1], [FILE_SIZE], [], [])


def test_a_file_stays_one_for_the_server_that_can_send_it_by_itself(agent: Receiver) -> None:
    bodies: list[object] = []

    def end(body: Any) -> None:
        bodies.append(body)
        body.close()

    wsgi("/file/", wrapper=FileWrapper, end=end)

    assert isinstance(bodies[0], FileWrapper)


@pytest.mark.parametrize("end", [close, close_twice])
def test_a_file_whose_client_leaves_counts_what_was_read(agent: Receiver, end: Callable[[object], None]) -> None:
    read = wsgi("/file/", parts=1, wrapper=lambda file, size: FileWrapper(file, 500), end=end)

    assert len(read) == 500
    requests, (size,), aborted, exceptions = numbers(agent)
    assert (requests, aborted, exceptions) == ([1], [1], [])
    assert 500 <= size < FILE_SIZE


def test_a_file_that_cannot_tell_its_place_is_counted_part_by_part(agent: Receiver) -> None:
    read = wsgi("/pipe/", wrapper=FileWrapper)

    assert len(read) == 100
    assert numbers(agent) == ([1], [100], [], [])


def test_the_file_is_closed_as_ever(agent: Receiver) -> None:
    opened: list[BinaryIO] = []

    def wrapper(file: BinaryIO, size: int) -> FileWrapper:
        opened.append(file)
        return FileWrapper(file, size)

    wsgi("/file/", wrapper=wrapper)

    assert opened[0].closed


def test_an_async_server_sends_files_too(agent: Receiver) -> None:
    assert len(asgi("/file/")) == FILE_SIZE
    assert numbers(agent) == ([1], [FILE_SIZE], [], [])


def test_what_the_collector_finds_while_the_client_is_built_does_not_wait_for_itself(agent: Receiver) -> None:
    def collect() -> None:
        with client._building:
            emit.count(REQUESTS, route="a", method="GET", status_class="2xx")

    thread = threading.Thread(target=collect, daemon=True)  # which a deadlock would leave behind
    thread.start()
    thread.join(10)
    emit.flush()

    assert agent.values(REQUESTS) == [1]
