"""How long each request took and how it ended. Stands first in MIDDLEWARE, so that it sees what the others refuse."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from metrics import emit
from metrics.catalogue import REQUEST_DURATION, REQUEST_EXCEPTIONS, REQUESTS

# Closed sets: a scanner may send any word as a method and any path, and each new tag value costs a series.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
STATUS_CLASSES = {1: "1xx", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}
# Django answers these with 4xx: they are a way to say no, not an error of ours.
REFUSALS = (Http404, PermissionDenied, BadRequest, SuspiciousOperation)


class MetricsMiddleware:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        started = perf_counter()
        response = self.get_response(request)
        if isinstance(response, HttpResponseBase):
            return self._answered(request, response, started)
        return self._awaited(request, response, started)

    async def _awaited(
        self, request: HttpRequest, response: Awaitable[HttpResponseBase], started: float
    ) -> HttpResponseBase:
        return self._answered(request, await response, started)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if not isinstance(exception, REFUSALS):
            emit.count(REQUEST_EXCEPTIONS, route=_route(request), exception=type(exception).__name__)

    def _answered(self, request: HttpRequest, response: HttpResponseBase, started: float) -> HttpResponseBase:
        """Counts the answer: its start, as the body of a streamed one is still to come."""
        duration_s = perf_counter() - started
        route = _route(request)
        method = request.method if request.method in METHODS else "OTHER"
        status_class = STATUS_CLASSES.get(response.status_code // 100, "other")
        emit.count(REQUESTS, route=route, method=method, status_class=status_class)
        emit.distribution(REQUEST_DURATION, duration_s, route=route, method=method, status_class=status_class)
        return response


def _route(request: HttpRequest) -> str:
    return request.resolver_match.view_name if request.resolver_match else "unresolved"
