"""A provider that moves no money: the card's number says how a charge ends, and its own table remembers it."""

from __future__ import annotations

from decimal import Decimal

from shop.orders.models import FakeCharge
from shop.orders.payment import APPROVED, IS_LOST, TIMES_OUT, Card, Charge, PaymentTimeout

State = FakeCharge.State


class FakeProvider:
    def charge(self, key: str, amount: Decimal, currency: str, card: Card) -> Charge:
        if card.number == IS_LOST:
            raise PaymentTimeout
        state = State.CAPTURED if card.number in (APPROVED, TIMES_OUT) else State.DECLINED
        # The key is unique: of two charges, or of a charge and a void, the first one stands.
        charge, _ = FakeCharge.objects.get_or_create(
            key=key, defaults={"state": state, "amount": amount, "currency": currency}
        )
        if card.number == TIMES_OUT:
            raise PaymentTimeout
        return _told(charge)

    def find(self, key: str) -> Charge | None:
        charge = FakeCharge.objects.filter(key=key).exclude(state=State.VOID).first()
        return _told(charge) if charge else None

    def void(self, key: str) -> Charge | None:
        charge, _ = FakeCharge.objects.get_or_create(key=key, defaults={"state": State.VOID})
        return None if charge.state == State.VOID else _told(charge)

    def refund(self, key: str) -> None:
        FakeCharge.objects.filter(key=key, state=State.CAPTURED).update(state=State.REFUNDED)


def _told(charge: FakeCharge) -> Charge:
    return Charge(approved=charge.state in (State.CAPTURED, State.REFUNDED), reference=f"fake-{charge.key}")
