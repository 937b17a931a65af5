"""What the shop may answer in place of what was asked for: data, each kind a type of its own, made of REST's problem
documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from shop.graphql.errors import Document, problem_of, with_paths
from shop.graphql.states import OrderState

Told = TypeVar("Told")


@strawberry.interface(description="Why it was not done. `type`, `title` and `detail` are those of the REST API.")
class Refusal:
    type: str
    title: str
    detail: str


@strawberry.type
class FieldError:
    detail: str
    path: list[str] = strawberry.field(description='Where in the arguments, such as ["items", "0", "sku"].')


@strawberry.type
class InvalidInput(Refusal):
    errors: list[FieldError]


@strawberry.type(description="Name and password do not fit. Which of the two it is, nobody is told.")
class LoginRefused(Refusal):
    pass


@strawberry.type(description="The refresh token is none of ours, over or used: sign in again.")
class SessionOver(Refusal):
    pass


@strawberry.type(description="The token of a mail is incomplete, too old or used.")
class BadLink(Refusal):
    pass


@strawberry.type(description="Said only to who proved that the address is theirs.")
class AccountExists(Refusal):
    pass


@strawberry.type
class CartFull(Refusal):
    pass


@strawberry.type
class NotInCart(Refusal):
    pass


@strawberry.type(description="Why, is not said: it would tell a guesser which codes exist.")
class CouponRefused(Refusal):
    pass


@strawberry.type
class EmptyCart(Refusal):
    pass


@strawberry.type
class OutOfStock(Refusal):
    sku: str


@strawberry.type
class NotOnSale(Refusal):
    skus: list[str]


@strawberry.type
class PriceChanged(Refusal):
    # Not `total`: a selection could not hold it beside an order's, which is Money.
    new_total: Decimal = strawberry.field(description="What it costs now, in the currency of its lines.")


@strawberry.type
class TooManyUnpaidOrders(Refusal):
    orders: list[UUID] = strawberry.field(description="Those that wait to be paid, or cancelled.")


@strawberry.type
class PaymentDeclined(Refusal):
    order: UUID
    state: OrderState = strawberry.field(description="While it is PLACED, another card may pay it.")


@strawberry.type(
    description="The provider did not answer. Send the same mutation with the same key: it is not charged twice."
)
class PaymentUnknown(Refusal):
    order: UUID


@strawberry.type
class PaymentNotMade(Refusal):
    order: UUID
    state: OrderState


@strawberry.type
class WrongState(Refusal):
    state: OrderState


@strawberry.type(description="It is no key, or was used for another request.")
class IdempotencyKeyRefused(Refusal):
    pass


@strawberry.type(description="The first request with this key is at work. Send it again in a second.")
class RequestInProgress(Refusal):
    pass


BY_NAME: dict[str, type[Refusal]] = {
    "invalid-request": InvalidInput,
    "bad-link": BadLink,
    "account-exists": AccountExists,
    "cart-full": CartFull,
    "coupon-refused": CouponRefused,
    "empty-cart": EmptyCart,
    "out-of-stock": OutOfStock,
    "not-on-sale": NotOnSale,
    "price-changed": PriceChanged,
    "too-many-unpaid-orders": TooManyUnpaidOrders,
    "payment-declined": PaymentDeclined,
    "payment-unknown": PaymentUnknown,
    "payment-not-made": PaymentNotMade,
    "order-state": WrongState,
    "idempotency-key": IdempotencyKeyRefused,
    "idempotency-key-reused": IdempotencyKeyRefused,
    "request-in-progress": RequestInProgress,
}

# What a problem document calls otherwise.
MEMBERS = {"new_total": "total"}

# How the members of a problem document are read that are no text.
# `Any`: JSON.
READ: dict[str, Callable[[Any], Any]] = {
    "errors": lambda errors: [FieldError(**error) for error in with_paths(errors)],
    "order": UUID,
    "orders": lambda numbers: [UUID(number) for number in numbers],
    "skus": list,
    "state": OrderState,
    "new_total": Decimal,
}


NO_OTHERS: Mapping[type[APIException], type[Refusal]] = {}


def kind_of(document: Document) -> type[Refusal] | None:
    """Returns None for a problem that is no answer but an error: no mail can be sent, say."""
    return BY_NAME.get(str(document["type"]).rpartition(":")[2])


def refusal_of(document: Document, kind: type[Refusal]) -> Refusal:
    names = [field.name for field in kind.__strawberry_definition__.fields]  # type: ignore[attr-defined] # strawberry's
    return kind(**{name: READ.get(name, str)(document[MEMBERS.get(name, name)]) for name in names})


def or_refusal(
    request: Request, run: Callable[[], Told], others: Mapping[type[APIException], type[Refusal]] = NO_OTHERS
) -> Told | Refusal:
    """Returns what `run` returns, or what it was refused with. `others`: what a 401 or a 404 of this mutation means."""
    try:
        return run()
    except APIException as refused:
        document = problem_of(refused, request)
        kind = others.get(type(refused)) or kind_of(document)
        if kind is None:
            raise
        return refusal_of(document, kind)
