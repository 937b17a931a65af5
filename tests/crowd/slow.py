"""What takes a tenth of a second, or as long as it is asked to, and is counted in the store as it begins and ends."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest

from ip_tracking.gate import store


def check(request: HttpRequest) -> None:
    count("began", request)
    time.sleep(_takes_s(request))
    count("ended", request)


async def acheck(request: HttpRequest) -> None:
    count("began", request)
    await asyncio.sleep(_takes_s(request))
    count("ended", request)


def _takes_s(request: HttpRequest) -> float:
    return float(request.GET.get("takes_s", "0.1"))


def count(name: str, request: HttpRequest) -> None:
    """By client: those of a test that is over may still be under way."""
    store.get().client.incr(f"check {name} {request.headers['X-Forwarded-For']}")


class SlowBackend:
    """Checks passwords as slowly as a good hash does; the right one is "right"."""

    def authenticate(self, request: HttpRequest, username: str, password: str) -> User | None:
        check(request)
        return self._answer(username, password)

    async def aauthenticate(self, request: HttpRequest, username: str, password: str) -> User | None:
        await acheck(request)
        return self._answer(username, password)

    @staticmethod
    def _answer(username: str, password: str) -> Any:
        return User(pk=1, username=username) if password == "right" else None
