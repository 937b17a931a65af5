from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from shop.errors import refusals
from shop.orders import carts, coupons
from shop.orders.cart_contents import Contents
from shop.orders.serializers import CartSerializer, CodeSerializer, ItemSerializer, QuantitySerializer
from shop.orders.views import problems
from shop.orders.views.examples import (
    CART_EXAMPLE,
    COUPON_EXAMPLE,
    COUPON_REFUSED_EXAMPLE,
    EMPTY_EXAMPLE,
    FULL_EXAMPLE,
    NO_COUPON_EXAMPLE,
)
from shop.orders.views.token import TOKEN, shopper_of
from shop.private import PrivateView


# Each operation also tells of a token that ran out (401).
def answers(*refused: int, good: int = 200) -> dict[int | tuple[int, str], object]:
    return {good: CartSerializer, **refusals(401, *refused)}


def told(contents: Contents, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(CartSerializer(contents).data, status)


class CartView(PrivateView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="cart_retrieve",
        summary="My cart",
        description="At today's prices. It holds no stock. Whoever has none is shown an empty one.",
        parameters=[TOKEN],
        responses=answers(),
        examples=[CART_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        return told(carts.contents(shopper_of(request), timezone.now()))

    @extend_schema(
        operation_id="cart_destroy",
        summary="Empty my cart",
        parameters=[TOKEN],
        responses=answers(),
        examples=[EMPTY_EXAMPLE],
    )
    def delete(self, request: Request) -> Response:
        return told(carts.empty(shopper_of(request), timezone.now()))


class CartItemsView(PrivateView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="cart_items_create",
        summary="Put into my cart",
        description="Adds to what is there of it. Who has no cart yet is given one, and its `token` where they are not "
        "signed in.",
        parameters=[TOKEN],
        request=ItemSerializer,
        responses=answers(400, 409, good=201),
        examples=[
            OpenApiExample("Two sconces", {"sku": "LIG-00002", "quantity": 2}, request_only=True),
            CART_EXAMPLE,
            FULL_EXAMPLE,
        ],
    )
    def post(self, request: Request) -> Response:
        return told(add(request, request.data), HTTPStatus.CREATED)


# `Any`, here and below: a request's JSON.
def add(request: Request, body: Any) -> Contents:
    item = ItemSerializer(data=body)
    item.is_valid(raise_exception=True)
    try:
        return carts.add(shopper_of(request), **item.validated_data, now=timezone.now())
    except carts.NotOnSale as exc:
        raise ValidationError({"sku": "No such product is on sale."}) from exc
    except carts.TooMuch as exc:
        raise problems.cart_full(str(exc)) from exc


class CartItemView(PrivateView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="cart_items_update",
        summary="Change a quantity",
        parameters=[TOKEN],
        request=QuantitySerializer,
        responses=answers(400, 404),
        examples=[OpenApiExample("Three", {"quantity": 3}, request_only=True), CART_EXAMPLE],
    )
    def put(self, request: Request, sku: str) -> Response:
        return told(change(request, sku, request.data))

    @extend_schema(
        operation_id="cart_items_destroy",
        summary="Take out of my cart",
        parameters=[TOKEN],
        responses=answers(404),
        examples=[EMPTY_EXAMPLE],
    )
    def delete(self, request: Request, sku: str) -> Response:
        return told(remove(request, sku))


def change(request: Request, sku: str, body: Any) -> Contents:
    asked = QuantitySerializer(data=body)
    asked.is_valid(raise_exception=True)
    try:
        return carts.change(shopper_of(request), sku, asked.validated_data["quantity"], timezone.now())
    except carts.NotInCart as exc:
        raise NotFound("There is no such line in the cart.") from exc


def remove(request: Request, sku: str) -> Contents:
    try:
        return carts.remove(shopper_of(request), sku, timezone.now())
    except carts.NotInCart as exc:
        raise NotFound("There is no such line in the cart.") from exc


class CartCouponView(PrivateView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="cart_coupon_create",
        summary="Use a coupon",
        description="Takes the place of another one. Why a code is refused is not said. It is used up by the order, "
        "not by the cart.",
        parameters=[TOKEN],
        request=CodeSerializer,
        responses=answers(400, 422),
        examples=[COUPON_EXAMPLE, CART_EXAMPLE, COUPON_REFUSED_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        return told(apply_coupon(request, request.data))

    @extend_schema(
        operation_id="cart_coupon_destroy",
        summary="Use no coupon",
        parameters=[TOKEN],
        responses=answers(),
        examples=[NO_COUPON_EXAMPLE],
    )
    def delete(self, request: Request) -> Response:
        return told(carts.remove_coupon(shopper_of(request), timezone.now()))


def apply_coupon(request: Request, body: Any) -> Contents:
    asked = CodeSerializer(data=body)
    asked.is_valid(raise_exception=True)
    try:
        return carts.apply_coupon(shopper_of(request), asked.validated_data["code"], request._request, timezone.now())
    except coupons.CouponRefused as exc:
        raise problems.coupon_refused() from exc
