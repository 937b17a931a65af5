"""How each request ended, how long it took and how much it was. Stands first in MIDDLEWARE, so that it sees what the
others refuse.

Each request counts once: when the answer is there, or where its body is streamed when that ends.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter
from types import TracebackType
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from metrics import body, emit
from metrics.catalogue import (
    ABORTED,
    METHOD,
    REQUEST_DURATION,
    REQUEST_EXCEPTIONS,
    REQUESTS,
    RESPONSE_SIZE,
)

# A scanner may send any word as a method.
METHODS = METHOD.values or frozenset()
STATUS_CLASSES = {1: "1xx", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}
# What has no body, whatever the view wrote: the server drops it.
NO_BODY = frozenset({204, 304})
# The client did not wait: 499 in nginx' log, and in ours.
LEFT_CLASS = "4xx"

# Where a request notes that its exception is counted.
COUNTED = "_metrics_exception_counted"


class MetricsMiddleware:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._acall(request)
        with Watch(request) as watch:
            response = self.get_response(request)
        return watch.answered(response)

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        with Watch(request) as watch:
            response = await self.get_response(request)
        return watch.answered(response)


class Watch:
    """One request: left without an answer, or `answered`."""

    __slots__ = ("_request", "_started")

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        vars(request)[COUNTED] = False

    def __enter__(self) -> Watch:
        self._started = perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Django makes an answer of most exceptions: these are a client that left, or a handler that failed itself."""
        if error is None:
            return
        left = isinstance(error, body.LEFT)
        route, method = _route(self._request), _method(self._request)
        emit.count(REQUESTS, route=route, method=method, status_class=LEFT_CLASS if left else "5xx")
        if left:
            emit.count(ABORTED, route=route, method=method)
        else:
            _count_exception(self._request, error)

    def answered(self, response: HttpResponseBase) -> HttpResponseBase:
        duration_s = perf_counter() - self._started
        route, method = _route(self._request), _method(self._request)
        status_class = STATUS_CLASSES.get(response.status_code // 100, "other")
        emit.distribution(REQUEST_DURATION, duration_s, route=route, method=method, status_class=status_class)
        has_body = self._request.method != "HEAD" and response.status_code not in NO_BODY
        if response.streaming:
            body.watch(self._request, response, partial(_ended, route, method, status_class, has_body))  # type: ignore[arg-type] # streaming
        else:
            size = len(response.content) if has_body else 0  # type: ignore[attr-defined] # not streaming
            _count(route, method, status_class, size)
        return response


def _ended(route: str, method: str, status_class: str, has_body: bool, size: int, error: BaseException | None) -> None:
    """The end of a streamed body."""
    _count(route, method, status_class, size if has_body else 0)
    if isinstance(error, body.LEFT):
        if has_body:  # else the server may close what it has no use for
            emit.count(ABORTED, route=route, method=method)
    elif error is not None:
        emit.count(REQUEST_EXCEPTIONS, route=route, exception=type(error).__name__)


def _count(route: str, method: str, status_class: str, size: int) -> None:
    emit.count(REQUESTS, route=route, method=method, status_class=status_class)
    emit.distribution(RESPONSE_SIZE, size, route=route, method=method, status_class=status_class)


@receiver(got_request_exception)
def _failed(*, request: HttpRequest | None = None, **_: Any) -> None:
    """Django makes a 500 of an exception, be it a view's or a middleware's; one that says no (a 404) is none."""
    error = sys.exc_info()[1]
    if request is not None and error is not None:
        _count_exception(request, error)


def _count_exception(request: HttpRequest, error: BaseException) -> None:
    """Once: an exception that handler500 raises goes on through every middleware, each time as another."""
    if vars(request).get(COUNTED) is False:
        vars(request)[COUNTED] = True
        emit.count(REQUEST_EXCEPTIONS, route=_route(request), exception=type(error).__name__)


def _route(request: HttpRequest) -> str:
    return request.resolver_match.view_name if request.resolver_match else "unresolved"


def _method(request: HttpRequest) -> str:
    return request.method if request.method in METHODS else "OTHER"
