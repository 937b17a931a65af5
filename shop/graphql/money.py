from __future__ import annotations

from decimal import Decimal

import strawberry

from shop.graphql.weight import Cost

CENT = Decimal("0.01")


@strawberry.type(directives=[Cost(weight=0)], description='An amount with its currency, such as "19.90" and "EUR".')
class Money:
    amount: Decimal
    currency: str


def money(amount: Decimal | str, currency: str) -> Money:
    """With its cents, as REST writes it: an amount that nothing was added to is 0."""
    return Money(amount=Decimal(amount).quantize(CENT), currency=currency)
