"""Views that answer as they are asked to, for the proof of the fields."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.urls import path


def answer(request: HttpRequest) -> HttpResponse:
    """`?status=402&Cache-Control=public` answers so."""
    asked = request.GET.dict()
    return HttpResponse(status=int(asked.pop("status", "200")), headers=asked)


def sign_in(request: HttpRequest) -> HttpResponse:
    user = authenticate(request, username=request.POST.get("username"), password=request.POST.get("password"))
    return HttpResponse(status=401 if user is None else 200)


urlpatterns = [
    path("page/", answer, name="page"),
    path("search/", answer, name="search"),
    path("pay/", answer, name="pay"),
    path("sign-in/", sign_in, name="sign-in"),
]
