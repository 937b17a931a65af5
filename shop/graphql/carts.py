"""The cart. A stranger's is found by the X-Cart-Token header, as in REST; the answer that makes one says the token."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Annotated

import strawberry
from django.utils import timezone
from rest_framework.exceptions import NotFound

from shop.graphql.context import Info
from shop.graphql.guarded import Guarded
from shop.graphql.money import Money, money
from shop.graphql.refusals import CartFull, CouponRefused, InvalidInput, NotInCart, Refusal, or_refusal
from shop.graphql.weight import Cost, ListSize
from shop.orders import carts
from shop.orders.cart_contents import Contents, Line
from shop.orders.cart_owner import MAX_LINES
from shop.orders.views import cart as rest
from shop.orders.views.token import shopper_of


@strawberry.enum
class LineProblem(Enum):
    NOT_ON_SALE = "not-on-sale"
    SHORT_OF_STOCK = "short-of-stock"


@strawberry.type
class CartLine:
    sku: str
    slug: str
    name: str
    unit_price: Money = strawberry.field(description="Today's.")
    quantity: int
    total: Money
    stock: int = strawberry.field(description="How many there are now.")
    problem: LineProblem | None = strawberry.field(description="Why it cannot be bought.")


@strawberry.type(
    description="At today's prices. Money is null where the lines have several currencies. It holds no stock."
)
class Cart:
    token: str | None = strawberry.field(
        description="Said once, where the request made a stranger's cart: send it as X-Cart-Token."
    )
    lines: list[CartLine] = strawberry.field(directives=[ListSize(assumed_size=MAX_LINES)])
    coupon: str | None
    coupon_holds: bool = strawberry.field(description="Whether the coupon counts for this cart as it stands.")
    subtotal: Money | None
    discount: Money | None
    total: Money | None
    can_be_bought: bool


def cart_of(contents: Contents) -> Cart:
    currency = contents.currency

    def told(amount: object) -> Money | None:
        return None if amount is None or currency is None else money(str(amount), currency)

    return Cart(
        token=contents.token or None,
        lines=[_line(line) for line in contents.lines],
        coupon=contents.coupon.code if contents.coupon else None,
        coupon_holds=contents.coupon_holds,
        subtotal=told(contents.subtotal),
        discount=told(contents.discount),
        total=told(contents.total),
        can_be_bought=contents.can_be_bought,
    )


def _line(line: Line) -> CartLine:
    product = line.product
    return CartLine(
        sku=product.sku,
        slug=product.slug,
        name=product.name,
        unit_price=money(product.price, product.currency),
        quantity=line.quantity,
        total=money(line.total, product.currency),
        stock=line.stock,
        problem=LineProblem(line.problem) if line.problem else None,
    )


AddResult = Annotated[Cart | CartFull | InvalidInput, strawberry.union("AddToCartResult")]
ChangeResult = Annotated[Cart | NotInCart | InvalidInput, strawberry.union("ChangeCartResult")]
CouponResult = Annotated[Cart | CouponRefused | InvalidInput, strawberry.union("ApplyCouponResult")]


@strawberry.type
class CartQuery:
    @strawberry.field(description="Whoever has none is shown an empty one.")
    def cart(self, info: Info) -> Cart | None:
        return cart_of(carts.contents(shopper_of(info.context.rest), timezone.now()))


def _changed(info: Info, run: Callable[[], Contents]) -> Cart | Refusal:
    return or_refusal(info.context.rest, lambda: cart_of(run()), {NotFound: NotInCart})


@strawberry.type
class CartMutation:
    @strawberry.mutation(
        extensions=[Guarded("cart")], directives=[Cost(weight=10)], description="Adds to what is there."
    )
    def add_to_cart(self, info: Info, sku: str, quantity: int = 1) -> AddResult | None:
        return _changed(info, lambda: rest.add(info.context.rest, {"sku": sku, "quantity": quantity}))  # type: ignore[return-value] # any refusal of the union

    @strawberry.mutation(extensions=[Guarded("cart")], directives=[Cost(weight=10)])
    def change_quantity(self, info: Info, sku: str, quantity: int) -> ChangeResult | None:
        return _changed(info, lambda: rest.change(info.context.rest, sku, {"quantity": quantity}))  # type: ignore[return-value]

    @strawberry.mutation(extensions=[Guarded("cart")], directives=[Cost(weight=10)])
    def remove_from_cart(self, info: Info, sku: str) -> ChangeResult | None:
        return _changed(info, lambda: rest.remove(info.context.rest, sku))  # type: ignore[return-value]

    @strawberry.mutation(extensions=[Guarded("cart")], directives=[Cost(weight=10)], description="The coupon goes too.")
    def empty_cart(self, info: Info) -> Cart | None:
        return cart_of(carts.empty(shopper_of(info.context.rest), timezone.now()))

    @strawberry.mutation(
        extensions=[Guarded("coupon")], directives=[Cost(weight=10)], description="Takes the place of another one."
    )
    def apply_coupon(self, info: Info, code: str) -> CouponResult | None:
        return _changed(info, lambda: rest.apply_coupon(info.context.rest, {"code": code}))  # type: ignore[return-value]

    @strawberry.mutation(directives=[Cost(weight=10)])
    def remove_coupon(self, info: Info) -> Cart | None:
        return cart_of(carts.remove_coupon(shopper_of(info.context.rest), timezone.now()))
