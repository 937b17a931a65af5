"""Views that name their policies: plain, by class, of REST framework, with the mark in view of the door or hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from rest_framework.decorators import action, api_view, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from ip_tracking.decorators import limited
from metrics.health import healthz


def hides(view: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that forgets functools.wraps."""

    def forgetful(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return forgetful


def hides_async(view: Callable[..., Any]) -> Callable[..., Any]:
    async def forgetful(*args: Any, **kwargs: Any) -> Any:
        return await view(*args, **kwargs)

    return forgetful


@limited("exports")
def plain(request: HttpRequest, **arguments: Any) -> HttpResponse:
    return HttpResponse("an export", status=int(request.GET.get("status", "200")))


@limited("exports")
async def plain_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("an export")


@never_cache
@require_http_methods(["GET", "POST"])
@limited("exports")
def decorated(request: HttpRequest) -> HttpResponse:
    return HttpResponse("an export")


@limited("exports")
@limited("reports")
def twice(request: HttpRequest) -> HttpResponse:
    return HttpResponse("both")


@hides
@limited("exports")
@limited("reports")
def twice_hidden(request: HttpRequest) -> HttpResponse:
    return HttpResponse("both")


class Method(View):
    @limited("exports")
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("an export")

    def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("no export")


class MethodAsync(View):
    @limited("exports")
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("an export")


class Adapted(View):
    @method_decorator(limited("exports"))
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("an export")


@method_decorator(limited("exports"), name="dispatch")
class Dispatch(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("an export")


@method_decorator(limited("exports"), name="dispatch")
class DispatchAsync(View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("an export")


class Rest(APIView):
    permission_classes = ()

    @limited("exports")
    def get(self, request: Request) -> Response:
        return Response("an export")


class RestByAttribute(APIView):
    permission_classes = ()
    limited_by = "exports"

    def get(self, request: Request) -> Response:
        return Response("an export")


@limited("exports")
@api_view(["GET"])
@permission_classes([])
def api_outside(request: Request) -> Response:
    return Response("an export")


@api_view(["GET"])
@permission_classes([])
@limited("exports")
def api_inside(request: Request) -> Response:
    return Response("an export")


class Exports(ViewSet):
    permission_classes = ()

    @limited("exports")
    def list(self, request: Request) -> Response:
        return Response("an export")

    @limited("exports")
    @action(detail=False)
    def latest(self, request: Request) -> Response:
        return Response("an export")

    @action(detail=False)
    @limited("exports")
    def oldest(self, request: Request) -> Response:
        return Response("an export")


@limited("no-such-policy")
def unknown(request: HttpRequest) -> HttpResponse:
    return HttpResponse("unlimited")


class Misnamed(View):
    limited_by = ["of-a-class"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("unlimited")


class Unhashable:
    """A view that is no function, and cannot be remembered by what it is."""

    __hash__ = None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("a page")


urlpatterns = [
    path("plain/", plain, name="plain"),
    path("plain/<str:sku>/", plain, name="plain-of"),
    path("plain-async/", plain_async, name="plain-async"),
    path("decorated/", decorated, name="decorated"),
    path("hidden/", hides(plain), name="hidden"),
    path("hidden/<str:sku>/", hides(plain), name="hidden-of"),
    path("hidden-async/", hides_async(plain_async), name="hidden-async"),
    path("twice/", twice, name="twice"),
    path("twice-hidden/", twice_hidden, name="twice-hidden"),
    path("method/", Method.as_view(), name="method"),
    path("method-async/", MethodAsync.as_view(), name="method-async"),
    path("adapted/", Adapted.as_view(), name="adapted"),
    path("dispatch/", Dispatch.as_view(), name="dispatch"),
    path("dispatch-async/", DispatchAsync.as_view(), name="dispatch-async"),
    path("rest/", Rest.as_view(), name="rest"),
    path("rest-by-attribute/", RestByAttribute.as_view(), name="rest-by-attribute"),
    path("api-outside/", api_outside, name="api-outside"),
    path("api-inside/", api_inside, name="api-inside"),
    path("viewset/", Exports.as_view({"get": "list"}), name="viewset"),
    path("viewset/latest/", Exports.as_view({"get": "latest"}), name="viewset-latest"),
    path("viewset/oldest/", Exports.as_view({"get": "oldest"}), name="viewset-oldest"),
    path("unknown/", unknown, name="unknown"),
    path("misnamed/", Misnamed.as_view(), name="misnamed"),
    path("unhashable/", Unhashable(), name="unhashable"),
    path("health/", plain, name="health"),
    path("healthz", healthz, name="healthz"),
]
