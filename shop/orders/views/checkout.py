from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from shop.errors import refusals
from shop.orders import carts, checkout, coupons, payment
from shop.orders.checkout import Item, Purchase
from shop.orders.idempotency import Answer
from shop.orders.models import KeyedRequest, Payment
from shop.orders.payment import Card
from shop.orders.serializers import CheckoutSerializer, OrderSerializer
from shop.orders.views import problems
from shop.orders.views.examples import BUYING_EXAMPLES, KEYED_EXAMPLES, ORDER, PAYING_EXAMPLES
from shop.orders.views.once import KEY, REPLAYED_FIELD, answer_once, key_of, respond
from shop.orders.views.token import TOKEN, token_of
from shop.private import PrivateView, owner

EXAMPLES = [
    OpenApiExample(
        "Two sconces",
        {"items": [{"sku": "LIG-00002", "quantity": 2}], "card": payment.APPROVED},
        request_only=True,
    ),
    OpenApiExample(
        "The cart, at the price shown", {"card": payment.APPROVED, "expected_total": "256.98"}, request_only=True
    ),
    OpenApiExample("Paid", ORDER, response_only=True, status_codes=["201"]),
    *PAYING_EXAMPLES,
    *BUYING_EXAMPLES,
    *KEYED_EXAMPLES,
]


class CheckoutView(PrivateView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="checkout_create",
        summary="Buy",
        description="Takes the stock, orders and pays: these `items`, or the cart. A declined card leaves the order "
        "waiting for another one (`/orders/{number}/pay/`) until it expires, at the same price.",
        parameters=[KEY, TOKEN, REPLAYED_FIELD],
        request=CheckoutSerializer,
        responses={201: OrderSerializer, **refusals(400, 401, 402, 409, 422, 504)},
        examples=EXAMPLES,
    )
    @sensitive_variables("request")
    def post(self, request: Request) -> Response:
        return respond(check_out(request, request.data, key_of(request)))


# `Any`: a request's JSON. The answer is that of this operation, whichever API it was asked by.
@sensitive_variables("body", "asked", "card")
def check_out(request: Request, body: Any, key: str) -> Answer:
    """Raises what is wrong with the body or the key; every other refusal is in the answer."""
    asked = CheckoutSerializer(data=body)
    asked.is_valid(raise_exception=True)
    purchase = Purchase(
        tuple(Item(**item) for item in asked.validated_data.get("items", ())),
        asked.validated_data.get("coupon", ""),
        token_of(request),
        asked.validated_data.get("expected_total"),
    )
    card = asked.validated_data["card"]
    return answer_once(
        request, key, body, "checkout", lambda keyed: _place(request, purchase, card, keyed), HTTPStatus.CREATED
    )


def _place(request: Request, purchase: Purchase, card: Card, keyed: KeyedRequest) -> Payment:
    try:
        return checkout.place(owner(request), purchase, card, payment.provider(), request._request, keyed)
    except carts.NotOnSale as exc:
        raise _not_on_sale(purchase, exc.skus) from exc
    except checkout.MixedCurrencies as exc:
        raise ValidationError({"items": "One order cannot mix currencies."}) from exc
    except checkout.OutOfStock as exc:
        raise problems.out_of_stock(exc.sku) from exc
    except checkout.EmptyCart as exc:
        raise problems.empty_cart() from exc
    except checkout.PriceChanged as exc:
        raise problems.price_changed(str(exc.total)) from exc
    except checkout.TooManyUnpaid as exc:
        raise problems.too_many_unpaid(exc.numbers) from exc
    except coupons.CouponRefused as exc:
        raise problems.coupon_refused() from exc


def _not_on_sale(purchase: Purchase, skus: list[str]) -> Exception:
    """In a body it is a mistake, at its place; a cart held it, so that it changed."""
    if not purchase.items:
        return problems.not_on_sale(skus)
    errors = [{"sku": ["No such product is on sale."]} if item.sku in skus else {} for item in purchase.items]
    return ValidationError({"items": errors})
