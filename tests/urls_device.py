"""Ways to sign in: as most projects do, and as a hostile caller of a batching API would have it."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth import aauthenticate, alogin, authenticate, get_user_model, login
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

BREAKS = "a password that breaks the backend"


class Breaking(BaseBackend):
    """A backend with a bug that a caller can reach."""

    def authenticate(self, request: HttpRequest | None, username: str = "", password: str = "") -> None:
        if password == BREAKS:
            raise RuntimeError("a bug in a backend")


class ByEmail(BaseBackend):
    """Lets people type their e-mail, as many projects do."""

    def authenticate(self, request: HttpRequest | None, username: str = "", password: str = "") -> Any:
        user = get_user_model().objects.filter(email=username.lower()).first() if "@" in username else None
        return user if user and user.check_password(password) else None

    def get_user(self, user_id: int) -> Any:
        return get_user_model().objects.filter(pk=user_id).first()


def sign_in(request: HttpRequest) -> HttpResponse:
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return HttpResponse(status=401)
    login(request, user)
    return HttpResponse("signed in")


async def sign_in_async(request: HttpRequest) -> HttpResponse:
    user = await aauthenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return HttpResponse(status=401)
    await alogin(request, user)
    return HttpResponse("signed in")


def check_only(request: HttpRequest) -> HttpResponse:
    """Asks for the password once more, as before a payment: nobody signs in."""
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    return HttpResponse(status=200 if user else 401)


def batch(request: HttpRequest) -> HttpResponse:
    """Many operations in one request, each answered by itself: `check` a password, `login` whom it was right for."""
    users: dict[str, Any] = {}
    for operation, name, *password in json.loads(request.body):
        try:
            if operation == "check":
                users[name] = authenticate(request, username=name, password=password[0])
            else:
                login(request, users[name])
        except RuntimeError:
            users[name] = None
    return JsonResponse({name: bool(user) for name, user in users.items()})


def impersonate(request: HttpRequest) -> HttpResponse:
    """Staff prove who they are, and sign in as somebody else."""
    if authenticate(request, username="staff", password=request.POST["password"]):
        login(request, get_user_model().objects.get(username=request.POST["as"]), f"{__name__}.ByEmail")
    return HttpResponse("signed in")


def coupon(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=200 if request.GET["code"] == "HALF" else 404)


urlpatterns = [
    path("sign-in/", sign_in, name="sign-in"),
    path("sign-in-async/", sign_in_async, name="sign-in-async"),
    path("check-only/", check_only, name="check-only"),
    path("batch/", batch, name="batch"),
    path("impersonate/", impersonate, name="impersonate"),
    path("coupon/", coupon, name="coupon"),
]
