from __future__ import annotations

from http import HTTPStatus
from typing import cast

from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.accounts.models import User
from shop.errors import MEDIA_TYPE, Problem, ProblemSerializer
from shop.orders import checkout, payment
from shop.orders.checkout import Item
from shop.orders.models import Order
from shop.orders.serializers import CheckoutSerializer, OrderSerializer

CHECKOUT_EXAMPLES = [
    OpenApiExample(
        "Two sconces",
        {"items": [{"sku": "LIG-00002", "quantity": 2}], "card": payment.APPROVED},
        request_only=True,
    ),
    OpenApiExample(
        "Paid",
        {
            "number": "0b9c7a64-6f0e-4f2e-9a8e-0d2b6d0f6c11",
            "state": "paid",
            "total": "256.98",
            "currency": "EUR",
            "card_last_four": "4242",
            "created_at": "2025-03-01T12:00:00Z",
            "lines": [{"sku": "LIG-00002", "name": "Classic Linen Sconce", "unit_price": "128.49", "quantity": 2}],
        },
        response_only=True,
        status_codes=["201"],
    ),
    OpenApiExample(
        "Declined",
        {
            "type": "urn:problem-type:shop:payment-declined",
            "title": "Payment declined",
            "status": 402,
            "detail": "The card was declined and nothing was charged.",
            "order": "0b9c7a64-6f0e-4f2e-9a8e-0d2b6d0f6c11",
        },
        response_only=True,
        status_codes=["402"],
        media_type=MEDIA_TYPE,
    ),
]


class CheckoutView(APIView):
    permission_classes = [IsAuthenticated]
    # Another provider is given by `as_view(provider=...)`.
    provider: payment.PaymentProvider = payment.PROVIDER

    @extend_schema(
        summary="Buy",
        request=CheckoutSerializer,
        responses={
            201: OrderSerializer,
            **{(status, MEDIA_TYPE): ProblemSerializer for status in (400, 401, 402, 409, 504)},
        },
        examples=CHECKOUT_EXAMPLES,
    )
    @sensitive_variables("request", "basket")
    def post(self, request: Request) -> Response:
        basket = CheckoutSerializer(data=request.data)
        basket.is_valid(raise_exception=True)
        items = [Item(**item) for item in basket.validated_data["items"]]
        # Who is not signed in was turned away by `permission_classes`, which the type checker cannot see.
        customer = cast("User", request.user)
        try:
            order = checkout.place(customer, items, basket.validated_data["card"], self.provider, request._request)
        except checkout.UnknownProducts as exc:
            errors = [{"sku": ["No such product is on sale."]} if item.sku in exc.skus else {} for item in items]
            raise ValidationError({"items": errors}) from exc
        except checkout.MixedCurrencies as exc:
            raise ValidationError({"items": "One order cannot mix currencies."}) from exc
        except checkout.OutOfStock as exc:
            raise out_of_stock(exc.sku) from exc
        if order.state == Order.State.DECLINED:
            raise declined(order)
        if order.state == Order.State.PLACED:
            raise timed_out(order)
        return Response(OrderSerializer(order).data, status=HTTPStatus.CREATED)


def out_of_stock(sku: str) -> Problem:
    return Problem(
        HTTPStatus.CONFLICT, "out-of-stock", "Out of stock", f"There is not enough of {sku} in stock.", sku=sku
    )


def declined(order: Order) -> Problem:
    return Problem(
        HTTPStatus.PAYMENT_REQUIRED,
        "payment-declined",
        "Payment declined",
        "The card was declined and nothing was charged.",
        order=str(order.number),
    )


def timed_out(order: Order) -> Problem:
    return Problem(
        HTTPStatus.GATEWAY_TIMEOUT,
        "payment-unknown",
        "Payment outcome unknown",
        "The payment provider did not answer in time. Do not pay again: the order is kept until its answer is known.",
        order=str(order.number),
    )
