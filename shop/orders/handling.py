"""What customers and staff do with an order that is there: cancel, ship, refund."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shop.orders import mails, paying, states
from shop.orders.models import Order, OrderMail
from shop.orders.payment import PaymentProvider

State = Order.State


def cancel(order: Order, provider: PaymentProvider, now: datetime) -> None:
    """Before it is shipped; raises states.NotAllowed. What was paid goes back, at once or by the task."""
    with transaction.atomic(durable=True):
        paid = states.move(order, State.PAID, State.CANCELLED, now)
        if paid:
            paying.owe_refund(order)
        elif not states.move(order, State.PLACED, State.CANCELLED, now):
            _refuse(order)
        mails.owe(order, OrderMail.Kind.CANCELLATION, now)
    if paid:
        paying.refund_what_is_due(provider, now, order)


def ship(order: Order, now: datetime) -> None:
    """Raises states.NotAllowed unless it is paid."""
    with transaction.atomic(durable=True):
        if not states.move(order, State.PAID, State.SHIPPED, now):
            _refuse(order)


def refund(order: Order, provider: PaymentProvider, now: datetime) -> None:
    """Of what was shipped; raises states.NotAllowed. The stock stays as it is until somebody has seen the goods."""
    with transaction.atomic(durable=True):
        if not states.move(order, State.SHIPPED, State.REFUNDED, now):
            _refuse(order)
        paying.owe_refund(order)
    paying.refund_what_is_due(provider, now, order)


def _refuse(order: Order) -> None:
    order.refresh_from_db()
    raise states.NotAllowed(order)
