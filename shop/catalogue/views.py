from __future__ import annotations

from http import HTTPStatus
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from drf_spectacular.utils import extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny, IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from shop.asynchronous import AsyncAPIView
from shop.catalogue import described, reading
from shop.catalogue.access import ReadOrStaff, may
from shop.catalogue.filters import asked_of
from shop.catalogue.models import Category, Product
from shop.catalogue.paging import Cut, piece_of
from shop.catalogue.serializers import CategorySerializer, StaffProductSerializer
from shop.catalogue.writing import one_write, saved
from shop.etags import etag_of, is_known, require_match

# How long a browser or a CDN answers by itself. Beside the minute of docs/catalogue.md, as it says.
PUBLIC, PUBLIC_TREE = "public, max-age=30", "public, max-age=300"
# Staff sees what it wrote a moment ago.
PRIVATE = "private, no-cache"


class CatalogueView(APIView):
    # The first is the one by which the OpenAPI document knows that reading needs no token.
    permission_classes = [IsAuthenticatedOrReadOnly, ReadOrStaff]
    model_name: str
    public = PUBLIC

    def is_staff(self) -> bool:
        return may(self.request, "view", self.model_name)

    # `Any`, here and below: a thing as it is shown.
    def shown(self, content: Any, for_staff: bool) -> Response:
        """Answers a reading: 304 to whoever holds this very state."""
        etag = etag_of(content)
        known = is_known(self.request, etag)
        response = Response(None if known else content, HTTPStatus.NOT_MODIFIED if known else HTTPStatus.OK)
        response["ETag"] = etag
        response["Cache-Control"] = PRIVATE if for_staff else self.public
        # Staff and customers read the same address.
        patch_vary_headers(response, ["Authorization"])
        return response

    def written(self, content: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Response:
        response = Response(content, status)
        response["ETag"] = etag_of(content)
        response["Cache-Control"] = PRIVATE
        if status == HTTPStatus.CREATED:
            path = reverse(f"shop:{self.model_name}-detail", kwargs={"slug": content["slug"]})
            response["Location"] = self.request.build_absolute_uri(path)
        return response


class DetailView(CatalogueView):
    serializer: type[ModelSerializer[Any]]  # `Any`: of what `held` returns

    def held(self, slug: str) -> Category | Product:
        """Returns it, for nobody else to write until the transaction ends. Raises Http404."""
        raise NotImplementedError

    def put(self, request: Request, slug: str) -> Response:
        return self._change(request, slug, partial=False)

    def patch(self, request: Request, slug: str) -> Response:
        return self._change(request, slug, partial=True)

    def delete(self, request: Request, slug: str) -> Response:
        with one_write():
            self._as_read(request, slug).delete()
        return Response(status=HTTPStatus.NO_CONTENT)

    def _change(self, request: Request, slug: str, partial: bool) -> Response:
        with one_write():
            row = self._as_read(request, slug)
            content = saved(self.serializer(row, data=request.data, partial=partial))
        return self.written(content)

    def _as_read(self, request: Request, slug: str) -> Category | Product:
        row = self.held(slug)
        require_match(request, etag_of(self.serializer(row).data))
        return row


@extend_schema_view(get=described.CATEGORY_LIST, post=described.CATEGORY_CREATE)
class CategoryListView(CatalogueView):
    model_name = "category"
    public = PUBLIC_TREE

    def get(self, request: Request) -> Response:
        staff = self.is_staff()
        return self.shown(reading.categories_for_staff() if staff else reading.categories(), staff)

    def post(self, request: Request) -> Response:
        with one_write():
            content = saved(CategorySerializer(data=request.data))
        return self.written(content, HTTPStatus.CREATED)


@extend_schema_view(
    get=described.CATEGORY, put=described.CATEGORY_PUT, patch=described.CATEGORY_PATCH, delete=described.CATEGORY_DELETE
)
class CategoryDetailView(DetailView):
    model_name = "category"
    public = PUBLIC_TREE
    serializer = CategorySerializer

    def get(self, request: Request, slug: str) -> Response:
        staff = self.is_staff()
        row = CategorySerializer(get_object_or_404(_categories(), slug=slug)).data if staff else reading.category(slug)
        return self.shown(row, staff)

    def held(self, slug: str) -> Category:
        # All of them first, in their order: whoever held this one and then asked for the others could wait for another
        # who waits for this one.
        Category.objects.hold_still()
        return get_object_or_404(_categories(), slug=slug)


@extend_schema_view(get=described.PRODUCT_LIST, post=described.PRODUCT_CREATE)
class ProductListView(CatalogueView):
    model_name = "product"

    def get(self, request: Request) -> Response:
        staff = self.is_staff()
        asked, piece = asked_of(request.query_params), piece_of(request.query_params)
        cut = (reading.products_for_staff if staff else reading.products)(asked, piece)
        return self.shown(_with_addresses(cut, request), staff)

    def post(self, request: Request) -> Response:
        with one_write():
            content = saved(StaffProductSerializer(data=request.data))
        return self.written(content, HTTPStatus.CREATED)


@extend_schema_view(get=described.PRODUCT_SEARCH)
class ProductSearchView(AsyncAPIView, CatalogueView):
    """The list with a text, for who has no token. docs/benchmarks.md says what its being async gains."""

    permission_classes = [AllowAny]
    model_name = "product"

    async def get(self, request: Request) -> Response:
        asked, piece = asked_of(request.query_params), piece_of(request.query_params)
        if "search" not in asked:
            raise ValidationError({"search": ["Say what to look for."]})
        cut = await sync_to_async(reading.products)(asked, piece)
        return self.shown(_with_addresses(cut, request), for_staff=False)


@extend_schema_view(
    get=described.PRODUCT, put=described.PRODUCT_PUT, patch=described.PRODUCT_PATCH, delete=described.PRODUCT_DELETE
)
class ProductDetailView(DetailView):
    model_name = "product"
    serializer = StaffProductSerializer

    def get(self, request: Request, slug: str) -> Response:
        if not self.is_staff():
            return self.shown(reading.product(slug), for_staff=False)
        row = get_object_or_404(Product.objects.select_related("category"), slug=slug)
        return self.shown(StaffProductSerializer(row).data, for_staff=True)

    def held(self, slug: str) -> Product:
        """Nobody buys it between the comparison and the write: the stock is part of what was read."""
        return get_object_or_404(Product.objects.select_for_update(), slug=slug)


def _with_addresses(cut: Cut, request: Request) -> dict[str, Any]:
    """The addresses are of this request, so that no cache hands on the name of a host that somebody made up."""
    here = request.build_absolute_uri()

    def address(place: tuple[str, str] | None) -> str | None:
        return replace_query_param(here, *place) if place else None

    return {
        "count": cut.count,
        "next": address(cut.next),
        "previous": address(cut.previous),
        "results": cut.results,
    }


def _categories() -> QuerySet[Category]:
    return Category.objects.select_related("parent")
