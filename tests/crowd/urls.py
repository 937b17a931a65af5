"""A sign-in and a payment, each for sync and for async servers."""

from __future__ import annotations

from django.contrib.auth import aauthenticate, authenticate
from django.http import HttpRequest, HttpResponse
from django.urls import path

from tests.crowd.slow import acheck, check


def sign_in(request: HttpRequest) -> HttpResponse:
    user = authenticate(request, username="ada", password=request.GET.get("password"))
    return HttpResponse(status=401 if user is None else 200)


async def sign_in_async(request: HttpRequest) -> HttpResponse:
    user = await aauthenticate(request, username="ada", password=request.GET.get("password"))
    return HttpResponse(status=401 if user is None else 200)


def pay(request: HttpRequest) -> HttpResponse:
    check(request)
    return HttpResponse(status=int(request.GET["status"]))


async def pay_async(request: HttpRequest) -> HttpResponse:
    await acheck(request)
    return HttpResponse(status=int(request.GET["status"]))


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [
    path("sign-in", sign_in, name="sign-in"),
    path("sign-in-async", sign_in_async, name="sign-in-async"),
    path("pay", pay, name="pay"),
    path("pay-async", pay_async, name="pay-async"),
    path("healthz", healthz, name="healthz"),
]
