"""Our shop with what it lacks and others have: a home page, a registration. Ordinary Django views."""

from __future__ import annotations

import json

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from metrics.health import healthz
from shop import urls as shop
from shop.accounts.models import User


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>Lamps</h1>")


@csrf_exempt
@require_POST
def register(request: HttpRequest) -> JsonResponse:
    asked = json.loads(request.body)
    user = User.objects.create_user(asked["username"], asked["email"], asked["password"])
    return JsonResponse({"username": user.username}, status=201)


OF_THE_SHOP = [
    *shop.urlpatterns,
    path("register/", register, name="register"),
]
urlpatterns = [
    path("", home, name="home"),
    path("healthz", healthz, name="healthz"),
    path("api/v1/", include((OF_THE_SHOP, "shop"))),
    path("admin/", admin.site.urls),
]
