"""An API with all that limits hang on: marks, a viewset, a class's own names, GraphQL; and pages beside it."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views import View
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from ip_tracking.api import LimitsView
from ip_tracking.decorators import limited
from ip_tracking.throttling import GateThrottle
from metrics.health import healthz


class Plain(APIView):
    permission_classes = [AllowAny]
    authentication_classes = []

    @extend_schema(responses={200: str})
    def get(self, request: Request, **arguments: object) -> Response:
        return Response({})

    @extend_schema(request=None, responses={201: str}, description="Writes.")
    @limited("writes")
    def post(self, request: Request, **arguments: object) -> Response:
        return Response({}, status=201)


class Throttled(Plain):
    throttle_classes = [GateThrottle]
    limited_by = ["exports"]


class Things(ViewSet):
    permission_classes = [AllowAny]
    authentication_classes = []

    @extend_schema(responses={200: str})
    def list(self, request: Request) -> Response:
        return Response({})

    @extend_schema(request=None, responses={201: str})
    def create(self, request: Request) -> Response:
        return Response({}, status=201)


class GraphQL(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("{}")


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a page")


urlpatterns = [
    path("api/plain/<slug:slug>/", Plain.as_view(), name="plain"),
    path("api/export/", Throttled.as_view(), name="export"),
    path("api/things/", Things.as_view({"get": "list", "post": "create"}), name="things"),
    path("api/limits/", LimitsView.as_view(), name="limits"),
    path("graphql/", GraphQL.as_view(), name="graphql"),
    path("page/", page, name="page"),
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
]
