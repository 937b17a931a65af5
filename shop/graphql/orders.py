"""Checkout, payment, orders: REST's own functions, so that both APIs refuse, repeat and record alike."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import strawberry
import strawberry_django
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import NotFound
from strawberry import auto

from shop.catalogue.paging import USUAL_SIZE, cut, piece_of
from shop.graphql.catalogue import PageInfo, page_info, pieces
from shop.graphql.context import Info
from shop.graphql.guarded import Guarded
from shop.graphql.money import Money, money
from shop.graphql.refusals import (
    CouponRefused,
    EmptyCart,
    IdempotencyKeyRefused,
    InvalidInput,
    NotOnSale,
    OutOfStock,
    PaymentDeclined,
    PaymentNotMade,
    PaymentUnknown,
    PriceChanged,
    RequestInProgress,
    TooManyUnpaidOrders,
    WrongState,
    kind_of,
    or_refusal,
    refusal_of,
)
from shop.graphql.states import OrderState, PaymentState
from shop.graphql.weight import Cost, ListSize
from shop.orders import models
from shop.orders.cart_owner import MAX_LINES
from shop.orders.idempotency import Answer
from shop.orders.paying import MOST_DECLINES
from shop.orders.views.checkout import check_out
from shop.orders.views.orders import cancel, order_for, pay

# The newest first; the key ends the order, as in shop/catalogue/filters.py.
NEWEST = ("-created_at", "-pk")


@strawberry_django.type(models.OrderLine, description="At the name and price of that day.")
class OrderLine:
    sku: auto
    name: auto
    quantity: auto

    @strawberry_django.field
    def unit_price(self: models.OrderLine) -> Money:
        return money(self.unit_price, self.order.currency)


@strawberry_django.type(models.Payment)
class Payment:
    state: PaymentState
    card_last_four: auto
    created_at: auto

    @strawberry_django.field
    def amount(self: models.Payment) -> Money:
        return money(self.amount, self.currency)


@strawberry_django.type(models.Order)
class Order:
    number: auto
    state: OrderState
    created_at: auto
    expires_at: auto = strawberry_django.field(description="Until then its stock is held while it is not paid.")

    @strawberry_django.field(directives=[ListSize(assumed_size=MAX_LINES)])
    def lines(self: models.Order) -> list[OrderLine]:
        return list(self.lines.all())  # type: ignore[arg-type] # rows stand in for the type

    @strawberry_django.field(directives=[ListSize(assumed_size=MOST_DECLINES)])
    def payments(self: models.Order) -> list[Payment]:
        return list(self.payments.all())  # type: ignore[arg-type]

    @strawberry_django.field
    def coupon(self: models.Order) -> str | None:
        return self.coupon.code if self.coupon else None

    @strawberry_django.field
    def subtotal(self: models.Order) -> Money:
        return money(self.subtotal, self.currency)

    @strawberry_django.field
    def discount(self: models.Order) -> Money:
        return money(self.discount, self.currency)

    @strawberry_django.field
    def total(self: models.Order) -> Money:
        return money(self.total, self.currency)


@strawberry.type
class OrderConnection:
    nodes: list[Order]
    page_info: PageInfo


@strawberry.input
class Item:
    sku: str
    quantity: int = 1


CheckoutResult = Annotated[
    Order
    | CouponRefused
    | EmptyCart
    | IdempotencyKeyRefused
    | InvalidInput
    | NotOnSale
    | OutOfStock
    | PaymentDeclined
    | PaymentNotMade
    | PaymentUnknown
    | PriceChanged
    | RequestInProgress
    | TooManyUnpaidOrders,
    strawberry.union("CheckoutResult"),
]
PayResult = Annotated[
    Order
    | IdempotencyKeyRefused
    | InvalidInput
    | PaymentDeclined
    | PaymentNotMade
    | PaymentUnknown
    | RequestInProgress
    | WrongState,
    strawberry.union("PayOrderResult"),
]
CancelResult = Annotated[Order | WrongState, strawberry.union("CancelOrderResult")]


@strawberry.type
class OrderQuery:
    @strawberry.field(
        directives=[ListSize(slicing_argument="first")],
        description="Newest first, in pieces of up to 100. Staff who may view orders see all.",
    )
    def orders(
        self, info: Info, first: int = USUAL_SIZE, after: str | None = None, state: OrderState | None = None
    ) -> OrderConnection | None:
        rows = models.Order.objects.told().seen_by(info.context.user)
        if state is not None:
            rows = rows.filter(state=state.value)
        found = cut(rows, NEWEST, piece_of(pieces(first, after)), list)
        return OrderConnection(nodes=found.results, page_info=page_info(found.next))

    @strawberry.field(description="Null where you have none of this number.")
    def order(self, info: Info, number: UUID) -> Order | None:
        try:
            return order_for(info.context.customer(), number)  # type: ignore[return-value] # a row stands in for the type
        except NotFound:
            return None


# `Any`, here and below: an order's row, which stands in for the type.
def _paid(info: Info, run: Callable[[], Answer]) -> Any:
    def answered() -> Any:
        answer = run()
        kind = kind_of(answer.body) if answer.status >= HTTPStatus.BAD_REQUEST else None
        if kind is not None:
            return refusal_of(answer.body, kind)
        return order_for(info.context.customer(), UUID(answer.body["number"]))

    return or_refusal(info.context.customer(), answered)


@strawberry.type
class OrderMutation:
    @strawberry.mutation(
        extensions=[Guarded("payment")],
        directives=[Cost(weight=10)],
        description="Takes the stock, orders and pays: these `items`, or else the cart. A declined card leaves the "
        "order waiting for another one until it expires.",
    )
    @sensitive_variables("card", "body")
    def checkout(
        self,
        info: Info,
        card: str,
        idempotency_key: str,
        items: list[Item] | None = None,
        coupon: str | None = None,
        expected_total: Decimal | None = None,
    ) -> CheckoutResult | None:
        body = {
            "card": card,
            "items": None if items is None else [{"sku": item.sku, "quantity": item.quantity} for item in items],
            "coupon": coupon,
            "expected_total": None if expected_total is None else str(expected_total),
        }
        body = {name: value for name, value in body.items() if value is not None}
        result: CheckoutResult = _paid(info, lambda: check_out(info.context.customer(), body, idempotency_key))
        return result

    @strawberry.mutation(
        extensions=[Guarded("payment")],
        directives=[Cost(weight=10)],
        description="By another card, while it is PLACED and has not expired, at the price it was placed at.",
    )
    @sensitive_variables("card", "body")
    def pay_order(self, info: Info, number: UUID, card: str, idempotency_key: str) -> PayResult | None:
        body = {"card": card}
        result: PayResult = _paid(info, lambda: pay(info.context.customer(), number, body, idempotency_key))
        return result

    @strawberry.mutation(
        directives=[Cost(weight=10)], description="Before it is shipped. What was paid goes back to the card."
    )
    def cancel_order(self, info: Info, number: UUID) -> CancelResult | None:
        request = info.context.customer()
        result: Any = or_refusal(request, lambda: order_for(request, cancel(request, number).number))
        return result  # type: ignore[no-any-return]
