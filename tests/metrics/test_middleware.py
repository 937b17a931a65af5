from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import AsyncClient, Client, RequestFactory
from pytest_django.fixtures import Settings

from metrics import emit, middleware
from metrics.catalogue import ABORTED, REQUEST_DURATION, REQUEST_EXCEPTIONS, REQUESTS, RESPONSE_SIZE
from metrics.middleware import MetricsMiddleware
from tests.dogstatsd import Receiver
from tests.metrics.handlers import asgi, wsgi

Call = Callable[[str, str], HttpResponseBase]


def call_sync(method: str, path: str) -> HttpResponseBase:
    return Client(raise_request_exception=False).generic(method, path)


def call_async(method: str, path: str) -> HttpResponseBase:
    return asyncio.run(AsyncClient(raise_request_exception=False).generic(method, path))


@pytest.fixture(params=[call_sync, call_async])
def call(request: pytest.FixtureRequest) -> Call:
    """Sends a request through Django's WSGI or ASGI handler."""
    return request.param


@pytest.mark.parametrize("path", ["/shop/products/123/", "/shop/async-products/123/"])
def test_a_request_is_counted_and_timed_by_its_routes_name(agent: Receiver, call: Call, path: str) -> None:
    call("GET", path)
    emit.flush()

    route = "shop:async-product-detail" if "async" in path else "shop:product-detail"
    tags = {"route": route, "method": "GET", "status_class": "2xx"}
    assert agent.values(REQUESTS, **tags) == [1]
    (duration_s,) = agent.values(REQUEST_DURATION, **tags)
    assert 0 < duration_s < 5
    assert agent.values(RESPONSE_SIZE, **tags) == [len("product 123")]
    assert len(agent.read()) == 3


@pytest.mark.parametrize(
    ("code", "status_class"), [(200, "2xx"), (204, "2xx"), (302, "3xx"), (429, "4xx"), (503, "5xx"), (599, "5xx")]
)
def test_status_codes_are_gathered_in_classes(agent: Receiver, call: Call, code: int, status_class: str) -> None:
    call("GET", f"/status/{code}/")
    emit.flush()

    assert agent.values(REQUESTS, route="status", status_class=status_class) == [1]


def test_paths_nobody_serves_are_one_route(agent: Receiver, call: Call) -> None:
    for path in ("/wp-login.php", "/.env", "/203.0.113.7/", "/x%0asentinel.evil:1|c"):
        call("GET", path)
    emit.flush()

    assert agent.values(REQUESTS, route="unresolved", status_class="4xx") == [4]
    for secret in (b"wp-login", b"env", b"203.0.113.7", b"evil", b"127.0.0.1"):
        assert secret not in agent.raw


@pytest.mark.parametrize(("sent", "counted"), [("PATCH", "PATCH"), ("PROPFIND", "OTHER"), ("", "OTHER")])
def test_methods_are_a_closed_set(agent: Receiver, call: Call, sent: str, counted: str) -> None:
    call(sent, "/status/200/")
    emit.flush()

    assert agent.values(REQUESTS, method=counted) == [1]


def test_a_view_without_a_name_is_known_by_its_function(agent: Receiver, call: Call) -> None:
    call("GET", "/unnamed/")
    emit.flush()

    assert agent.values(REQUESTS, route="tests.metrics.urls.product") == [1]


def test_an_exception_is_counted_by_its_class_only(agent: Receiver, call: Call) -> None:
    assert call("GET", "/raises/value/").status_code == 500
    emit.flush()

    assert agent.values(REQUEST_EXCEPTIONS, route="raises", exception="ValueError") == [1]
    assert agent.values(REQUESTS, route="raises", status_class="5xx") == [1]
    assert b"203.0.113.7" not in agent.raw


def test_the_exception_of_a_middleware_counts_as_a_views_does(agent: Receiver, call: Call, settings: Settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.metrics.test_middleware.broken"]

    assert call("GET", "/status/200/").status_code == 500
    emit.flush()

    assert agent.values(REQUEST_EXCEPTIONS, exception="ZeroDivisionError") == [1]
    assert agent.values(REQUESTS, status_class="5xx") == [1]


def broken(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    return lambda request: HttpResponse(1 / 0)


def passing(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    return middleware


@pytest.mark.parametrize("propagate", [False, True])
def test_a_request_whose_handler_fails_too_counts_once(agent: Receiver, settings: Settings, propagate: bool) -> None:
    """handler500 raises: each middleware tries it again. Or Django is told to let exceptions pass."""
    settings.DEBUG_PROPAGATE_EXCEPTIONS = propagate
    settings.ROOT_URLCONF = "tests.metrics.urls_broken"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *["tests.metrics.test_middleware.passing"] * 3]

    with pytest.raises((ValueError, KeyError)):
        wsgi("/raises/value/")
    emit.flush()

    assert agent.values(REQUESTS, route="raises", status_class="5xx") == [1]
    assert agent.values(REQUEST_EXCEPTIONS) == [1]


def test_a_request_that_ends_its_process_counts_once(agent: Receiver) -> None:
    with pytest.raises(SystemExit):
        wsgi("/never/")
    emit.flush()

    assert agent.values(REQUESTS, route="never", status_class="5xx") == [1]
    assert agent.values(REQUEST_EXCEPTIONS, exception="SystemExit") == [1]
    assert agent.values(REQUEST_DURATION) == []


def test_a_client_that_leaves_before_the_answer_is_counted_as_such_and_as_a_request(agent: Receiver) -> None:
    """As 499, which the request log says too."""
    asgi("/waits/", before=True)
    emit.flush()

    assert agent.values(ABORTED, route="waits", method="GET") == [1]
    assert agent.values(REQUESTS, route="waits", method="GET", status_class="4xx") == [1]
    assert agent.values(REQUEST_EXCEPTIONS) == []
    assert agent.values(REQUEST_DURATION) == []


@pytest.mark.parametrize(("method", "size"), [("GET", 11), ("HEAD", 0)])
def test_the_size_is_that_of_the_body_which_a_head_request_has_not(
    agent: Receiver, call: Call, method: str, size: int
) -> None:
    call(method, "/shop/products/123/")
    emit.flush()

    assert agent.values(RESPONSE_SIZE, method=method) == [size]


@pytest.mark.parametrize("kind", ["missing", "denied", "odd"])
def test_an_exception_that_says_no_is_no_error(agent: Receiver, call: Call, kind: str) -> None:
    call("GET", f"/raises/{kind}/")
    emit.flush()

    assert agent.values(REQUEST_EXCEPTIONS) == []
    assert agent.values(REQUESTS, route="raises", status_class="4xx") == [1]


def test_the_time_of_a_stream_ends_where_its_body_begins(agent: Receiver) -> None:
    answer = Client().get("/stream/")
    emit.flush()

    assert len(agent.values(REQUEST_DURATION, route="stream")) == 1
    with pytest.raises(AssertionError, match="the body was read"):
        list(answer)  # else it would count when the collector finds it, in another's test


def test_the_duration_is_in_seconds(agent: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    times: Iterator[float] = iter([100.0, 100.25])
    monkeypatch.setattr(middleware, "perf_counter", lambda: next(times))

    MetricsMiddleware(lambda _: HttpResponse())(RequestFactory().get("/"))
    emit.flush()

    assert agent.values(REQUEST_DURATION) == [0.25]


def test_the_time_of_an_async_view_includes_its_waiting(agent: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]

    async def view(_: HttpRequest) -> HttpResponse:
        await asyncio.sleep(0)
        clock[0] += 0.25
        return HttpResponse()

    monkeypatch.setattr(middleware, "perf_counter", lambda: clock[0])
    answer = MetricsMiddleware(view)(RequestFactory().get("/"))

    assert isinstance(asyncio.run(_awaited(answer)), HttpResponse)
    emit.flush()
    assert agent.values(REQUEST_DURATION) == [0.25]


async def _awaited(answer: object) -> object:
    return await answer


def test_it_is_async_where_the_rest_is_and_needs_no_thread_there() -> None:
    async def view(_: HttpRequest) -> HttpResponse:
        return HttpResponse()

    assert iscoroutinefunction(MetricsMiddleware(view))
    assert not iscoroutinefunction(MetricsMiddleware(lambda _: HttpResponse()))
    assert MetricsMiddleware.sync_capable
    assert MetricsMiddleware.async_capable


def test_the_health_answer_is_small_and_kept_nowhere(call: Call) -> None:
    answer = call("GET", "/healthz")

    assert answer.status_code == 200
    assert answer.content == b'{"status": "ok"}'
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    assert call("HEAD", "/healthz").status_code == 200
    assert call("POST", "/healthz").status_code == 405
