"""A page, and a sign-in of this project's own making."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.urls import path


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a page")


def sign_in(request: HttpRequest) -> HttpResponse:
    user = authenticate(request, username=request.POST.get("username"), password=request.POST.get("password"))
    return HttpResponse(status=401 if user is None else 200)


urlpatterns = [path("", page, name="page"), path("sign-in", sign_in, name="sign-in")]
