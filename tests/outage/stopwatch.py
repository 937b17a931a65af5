"""Test-only middleware: how much of a request's time was not the view's. Told in a header of the answer."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.cache import cache
from django.http import HttpRequest

HEADER = "X-Added-Us"


class Both:
    """Sync and async."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        return self.awaited(request) if iscoroutinefunction(self) else self.called(request)

    def called(self, request: HttpRequest) -> Any:
        raise NotImplementedError

    async def awaited(self, request: HttpRequest) -> Any:
        raise NotImplementedError


class Before(Both):
    def called(self, request: HttpRequest) -> Any:
        started = perf_counter()
        return self.told(request, self.get_response(request), started)

    async def awaited(self, request: HttpRequest) -> Any:
        started = perf_counter()
        return self.told(request, await self.get_response(request), started)

    @staticmethod
    def told(request: HttpRequest, response: Any, started: float) -> Any:
        added_s = perf_counter() - started - getattr(request, "view_s", 0.0)
        response[HEADER] = str(round(added_s * 1_000_000))
        return response


class ReadTheCache(Both):
    """As a session does, on the server that also counts."""

    def called(self, request: HttpRequest) -> Any:
        cache.get("session")
        return self.get_response(request)

    async def awaited(self, request: HttpRequest) -> Any:
        await cache.aget("session")
        return await self.get_response(request)


class Behind(Both):
    def called(self, request: HttpRequest) -> Any:
        started = perf_counter()
        response = self.get_response(request)
        request.view_s = perf_counter() - started  # type: ignore[attr-defined]
        return response

    async def awaited(self, request: HttpRequest) -> Any:
        started = perf_counter()
        response = await self.get_response(request)
        request.view_s = perf_counter() - started  # type: ignore[attr-defined]
        return response
