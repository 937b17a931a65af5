"""Plain views for the door's tests: sync, async, slow to decide, failing."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import Any

from django.contrib.auth import aauthenticate, authenticate
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from metrics.health import healthz


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("sync")


async def plain_async(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    return HttpResponse("async")


slow_async_began = Event()


async def slow_async(request: HttpRequest) -> HttpResponse:
    """Longer than anybody waits."""
    slow_async_began.set()
    await asyncio.sleep(60)
    return HttpResponse("at last")


def cached(request: HttpRequest) -> HttpResponse:
    return HttpResponse("for everybody", headers={"Cache-Control": "public, max-age=60"})


def pay(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=int(request.GET.get("status", "201")))


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a bug in a view")


def login(request: HttpRequest) -> JsonResponse:
    return _answer([authenticate(request, **_credentials(request)) for _ in range(_times(request))])


async def login_async(request: HttpRequest) -> JsonResponse:
    return _answer([await aauthenticate(request, **_credentials(request)) for _ in range(_times(request))])


def _credentials(request: HttpRequest) -> dict[str, Any]:
    return {"username": request.POST.get("username", ""), "password": request.POST.get("password", "")}


def _times(request: HttpRequest) -> int:
    """How many logins one request tries, as a GraphQL document with aliases would."""
    return int(request.POST.get("times", "1"))


def _answer(users: list[Any]) -> JsonResponse:
    return JsonResponse({"users": [str(user) for user in users]}, status=200 if all(users) else 401)


urlpatterns = [
    path("plain/", plain, name="plain"),
    path("plain-async/", plain_async, name="plain-async"),
    path("slow-async/", slow_async, name="slow-async"),
    path("cached/", cached, name="cached"),
    path("pay/", pay, name="pay"),
    path("broken/", broken, name="broken"),
    path("login/", login, name="login"),
    path("login-async/", login_async, name="login-async"),
    path("healthz", healthz, name="healthz"),
]
