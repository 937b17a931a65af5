"""Examples for the API's description that several operations show."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiExample

from shop.errors import MEDIA_TYPE, Problem, document_of
from shop.orders.cart_owner import MAX_LINES
from shop.orders.models import Order
from shop.orders.views import problems

NUMBER = "0b9c7a64-6f0e-4f2e-9a8e-0d2b6d0f6c11"
ORDER = {
    "number": NUMBER,
    "customer": "ada",
    "state": "paid",
    "currency": "EUR",
    "subtotal": "256.98",
    "coupon": "WELCOME10",
    "discount": "25.70",
    "total": "231.28",
    "created_at": "2025-03-01T12:00:00Z",
    "expires_at": "2025-03-01T12:15:00Z",
    "lines": [{"sku": "LIG-00002", "name": "Classic Linen Sconce", "unit_price": "128.49", "quantity": 2}],
    "payments": [
        {"state": "approved", "amount": "231.28", "card_last_four": "4242", "created_at": "2025-03-01T12:00:00Z"}
    ],
}
CART = {
    "token": "",
    "lines": [
        {
            "sku": "LIG-00002",
            "slug": "classic-linen-sconce",
            "name": "Classic Linen Sconce",
            "unit_price": "128.49",
            "currency": "EUR",
            "quantity": 2,
            "total": "256.98",
            "stock": 180,
            "problem": "",
        }
    ],
    "coupon": "WELCOME10",
    "coupon_holds": True,
    "currency": "EUR",
    "subtotal": "256.98",
    "discount": "25.70",
    "total": "231.28",
    "can_be_bought": True,
}
CART_EXAMPLE = OpenApiExample("Two sconces", CART, response_only=True, status_codes=["200", "201"])
EMPTY_EXAMPLE = OpenApiExample(
    "Empty",
    {
        **CART,
        "lines": [],
        "coupon": None,
        "coupon_holds": False,
        "currency": None,
        "subtotal": "0.00",
        "discount": "0.00",
        "total": "0.00",
        "can_be_bought": False,
    },
    response_only=True,
    status_codes=["200"],
)
NO_COUPON_EXAMPLE = OpenApiExample(
    "Without a coupon",
    {**CART, "coupon": None, "coupon_holds": False, "discount": "0.00", "total": "256.98"},
    response_only=True,
    status_codes=["200"],
)
COUPON_EXAMPLE = OpenApiExample("A newsletter's", {"code": "WELCOME10"}, request_only=True)


def refused(problem: Problem) -> OpenApiExample:
    """A refusal as the view that raises it answers."""
    return OpenApiExample(
        problem.title,
        document_of(problem),
        response_only=True,
        status_codes=[str(problem.status_code)],
        media_type=MEDIA_TYPE,
    )


def _order(state: Order.State) -> Order:
    return Order(number=UUID(NUMBER), state=state)


WAITING, OVER = _order(Order.State.PLACED), _order(Order.State.CANCELLED)

# What an operation under an Idempotency-Key may answer, and what becomes of a payment.
KEYED_EXAMPLES = [refused(made()) for made in (problems.bad_key, problems.key_reused, problems.in_progress)]
PAYING_EXAMPLES = [refused(made(WAITING)) for made in (problems.declined, problems.timed_out, problems.never_made)]
BUYING_EXAMPLES = [
    refused(problem)
    for problem in (
        problems.out_of_stock("LIG-00002"),
        problems.not_on_sale(["LIG-00002"]),
        problems.empty_cart(),
        problems.price_changed("231.28"),
        problems.too_many_unpaid([NUMBER]),
        problems.coupon_refused(),
    )
]
WRONG_STATE_EXAMPLE = refused(problems.wrong_state(OVER))
FULL_EXAMPLE = refused(problems.cart_full(f"A cart has up to {MAX_LINES} lines."))
COUPON_REFUSED_EXAMPLE = refused(problems.coupon_refused())
