"""Views that read what a policy counted by before them: plain, async and of REST framework."""

from __future__ import annotations

import json
from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


def coupon_in_body(request: HttpRequest) -> str | None:
    """A project's own key."""
    return json.loads(request.body).get("coupon")


def secret_of(request: HttpRequest) -> str | None:
    return request.META.get("HTTP_X_SECRET")


async def awaited(request: HttpRequest) -> str | None:
    return None


not_a_function = "text"


def _read(request: HttpRequest) -> dict[str, Any]:
    if request.content_type == "application/json":
        return {"data": json.loads(request.body)}
    return {"data": request.POST.dict(), "files": {name: file.read().decode() for name, file in request.FILES.items()}}


def _answer(request: HttpRequest) -> HttpResponse:
    status = int(request.GET.get("status", "200"))
    try:
        return JsonResponse(_read(request), status=status)
    except ValueError:
        return HttpResponse("no JSON", status=400)


def plain(request: HttpRequest, **arguments: Any) -> HttpResponse:
    return _answer(request)


async def plain_async(request: HttpRequest, **arguments: Any) -> HttpResponse:
    return _answer(request)


def of_any_type(request: HttpRequest) -> HttpResponse:
    """Reads JSON without looking at the type."""
    return JsonResponse({"data": json.loads(request.body)})


def with_its_own_handlers(request: HttpRequest) -> HttpResponse:
    request.upload_handlers = [MemoryFileUploadHandler(request)]
    return _answer(request)


class Rest(APIView):
    permission_classes = ()
    parser_classes = (JSONParser, FormParser, MultiPartParser)

    def post(self, request: Request) -> Response:
        files = {name: file.read().decode() for name, file in request.FILES.items()}
        data = {name: value for name, value in request.data.items() if name not in files}
        return Response({"data": data, "files": files} if files else {"data": data})

    put = post


urlpatterns = [
    path("plain/", plain, name="plain"),
    path("plain-async/", plain_async, name="plain-async"),
    path("with-its-own-handlers/", with_its_own_handlers, name="with-its-own-handlers"),
    path("rest/", Rest.as_view(), name="rest"),
    path("of-any-type/", of_any_type, name="of-any-type"),
    path("items/<str:sku>/", plain, name="item"),
]
