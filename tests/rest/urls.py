"""A small API of which some is deprecated: nothing of the shop is."""

from __future__ import annotations

from datetime import date

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.asynchronous import AsyncAPIView
from shop.deprecation import Deprecation, deprecated

OLD = Deprecation(
    "get", since=date(2026, 3, 1), sunset=date(2027, 3, 1), instead="`GET /api/new/`", read="https://example.com/old/"
)
OLD_PARAMETER = Deprecation(
    "get", since=date(2026, 5, 1), instead="`cursor`", read="https://example.com/page/", parameter="page"
)
OLD_FIELD = Deprecation(
    "post", since=date(2026, 4, 1), instead="`sku`", read="https://example.com/article/", field="article"
)


class ThingSerializer(serializers.Serializer):
    sku = serializers.CharField(required=False)
    article = serializers.CharField(required=False)


@deprecated(OLD)
class OldView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="old", description="As it was.", responses={200: ThingSerializer})
    def get(self, request: Request) -> Response:
        if "gone" in request.query_params:
            raise NotFound
        return Response({"sku": "a"})

    @extend_schema(operation_id="old_write", request=ThingSerializer, responses={200: ThingSerializer})
    def post(self, request: Request) -> Response:
        return Response({})


@deprecated(OLD)
class OldAsyncView(AsyncAPIView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="old_async", responses={200: ThingSerializer})
    async def get(self, request: Request) -> Response:
        return Response({"sku": "a"})


@deprecated(OLD_PARAMETER, OLD_FIELD)
class NewView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="new",
        parameters=[OpenApiParameter("page", OpenApiTypes.INT), OpenApiParameter("cursor")],
        responses={200: ThingSerializer},
    )
    def get(self, request: Request) -> Response:
        return Response({"sku": "a"})

    @extend_schema(operation_id="new_write", request=ThingSerializer, responses={200: ThingSerializer})
    def post(self, request: Request) -> Response:
        thing = ThingSerializer(data=request.data)
        thing.is_valid(raise_exception=True)
        return Response(thing.data)


urlpatterns = [
    path("api/old/", OldView.as_view()),
    path("api/old-async/", OldAsyncView.as_view()),
    path("api/new/", NewView.as_view()),
]
