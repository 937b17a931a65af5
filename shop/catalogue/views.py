from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from shop.catalogue.models import Category, Product, ProductQuerySet
from shop.catalogue.serializers import (
    MAX_PAGE_SIZE,
    CategorySerializer,
    ProductQuerySerializer,
    ProductSerializer,
)
from shop.errors import MEDIA_TYPE, ProblemSerializer

BAD_REQUEST = {(400, MEDIA_TYPE): ProblemSerializer}
NOT_FOUND = {(404, MEDIA_TYPE): ProblemSerializer}


class ProductPages(PageNumberPagination):
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE
    invalid_page_message = "There is no such page: {message}"


class CategoryListView(ListAPIView[Category]):
    permission_classes = [AllowAny]
    pagination_class = None
    serializer_class = CategorySerializer
    queryset = Category.objects.select_related("parent")

    @extend_schema(summary="All categories")
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        return self.list(request)


class ProductListView(GenericAPIView[Product]):
    permission_classes = [AllowAny]
    pagination_class = ProductPages
    serializer_class = ProductSerializer

    @extend_schema(
        summary="Products on sale",
        parameters=[ProductQuerySerializer],
        responses={(200, "application/json"): ProductSerializer(many=True), **BAD_REQUEST, **NOT_FOUND},
    )
    def get(self, request: Request) -> Response:
        query = ProductQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        page = self.paginate_queryset(find_products(query.validated_data))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class ProductDetailView(RetrieveAPIView[Product]):
    permission_classes = [AllowAny]
    lookup_field = "slug"
    serializer_class = ProductSerializer
    queryset = Product.objects.on_sale().select_related("category")

    @extend_schema(summary="One product", responses={200: ProductSerializer, **NOT_FOUND})
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        return self.retrieve(request)


# `Any`: the values of a serializer's fields.
def find_products(asked: dict[str, Any]) -> ProductQuerySet:
    products = Product.objects.on_sale().select_related("category")
    if "category" in asked:
        branch = Category.objects.branch(asked["category"])
        if not branch:
            raise ValidationError({"category": f"There is no category {asked['category']!r}."})
        products = products.filter(category__in=branch)
    if asked.get("search"):
        products = products.matching(asked["search"])
    # The key ends every order: without it, products of one price could change places between two pages.
    return products.order_by(asked.get("ordering", "name"), "pk")
