"""How is an order paid? Begin, charge, settle: no lock and no transaction is open while the provider is asked.

Whatever the order of events, the money that is ours is that of the orders that are paid: an attempt ends once, an order
has one attempt at a time and does not expire meanwhile, and money that came where none was due goes back.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from shop.orders import idempotency, mails, states
from shop.orders.models import KeyedRequest, Order, OrderMail, Payment
from shop.orders.payment import Card, Charge, PaymentProvider, PaymentTimeout
from shop.orders.signals import payment_approved, payment_declined

logger = logging.getLogger(__name__)

# The stock is held for so long after the checkout: time for a second card, and not for a hoard.
RESERVED = timedelta(minutes=15)

# So many cards may be declined; then the order is given up. People try two or three.
MOST_DECLINES = 5

# A customer may let so many orders wait for payment. Two checkouts at once can pass by one more each: what is held is
# bounded by this number and what the gate lets through in a moment, and runs out after a quarter of an hour.
MOST_UNPAID = 5

# A payment without an answer is settled by the task when it is so old: web servers give a request up after 30 seconds.
UNANSWERED = timedelta(minutes=2)

PENDING, APPROVED = Payment.State.PENDING, Payment.State.APPROVED
DECLINED, VOID = Payment.State.DECLINED, Payment.State.VOID
REFUND_DUE, REFUNDED = Payment.State.REFUND_DUE, Payment.State.REFUNDED

SIGNALS = {APPROVED: payment_approved, DECLINED: payment_declined}


def pay(
    order: Order, card: Card, provider: PaymentProvider, request: HttpRequest | None, keyed: KeyedRequest | None = None
) -> Payment:
    """Pays an order that waits for it, at the price it was placed at; raises states.NotAllowed.

    The payment's state tells how that ended: approved, declined, or pending where the provider did not answer.
    """
    if keyed is not None and keyed.payment is not None:
        return resume(keyed.payment, card, provider, request)
    return charge(_begin(order, card, timezone.now(), keyed), card, provider, request)


@transaction.atomic(durable=True)
def _begin(order: Order, card: Card, now: datetime, keyed: KeyedRequest | None) -> Payment:
    if not states.move(order, Order.State.PLACED, Order.State.PAYING, now, expires_at__gt=now):
        order.refresh_from_db()
        raise states.NotAllowed(order)
    return record(order, card, now, keyed)


def record(order: Order, card: Card, now: datetime, keyed: KeyedRequest | None) -> Payment:
    """Writes the attempt down before the provider is asked, within the transaction that makes the order `paying`."""
    payment = Payment.objects.create(
        order=order, amount=order.total, currency=order.currency, card_last_four=card.last_four, created_at=now
    )
    if keyed is not None:
        idempotency.link(keyed, payment)
    return payment


def charge(payment: Payment, card: Card, provider: PaymentProvider, request: HttpRequest | None) -> Payment:
    try:
        # A coupon may have paid for all of it: there is nothing to ask a provider for.
        nothing = Charge(approved=True)
        outcome = (
            provider.charge(str(payment.key), payment.amount, payment.currency, card) if payment.amount else nothing
        )
    except PaymentTimeout:
        # The stock stays held, for the money may have moved: the retry settles it, or the task.
        logger.warning("The payment of order %s timed out.", payment.order.number)
        return payment
    return settle(payment, outcome, timezone.now(), request)


def resume(payment: Payment, card: Card, provider: PaymentProvider, request: HttpRequest | None) -> Payment:
    """What the next request under the same key does: asks what became of the charge, and makes it if there is none."""
    payment.refresh_from_db()
    if payment.state != PENDING:
        return payment
    try:
        outcome = provider.find(str(payment.key))
    except PaymentTimeout:
        return payment
    if outcome is None:
        return charge(payment, card, provider, request)
    return settle(payment, outcome, timezone.now(), request)


def settle(payment: Payment, outcome: Charge | None, at: datetime, request: HttpRequest | None = None) -> Payment:
    """Records what became of an attempt; None: it was never made and never will be. Settling twice changes nothing."""
    state = VOID if outcome is None else APPROVED if outcome.approved else DECLINED
    reference = outcome.reference if outcome else ""
    with transaction.atomic(durable=True):
        settled = Payment.objects.move(payment.pk, [PENDING], state, reference=reference, settled_at=at)
        if settled:
            _settle_order(payment.order, state, at)
    payment.refresh_from_db()
    if settled and state in SIGNALS and request is not None:
        SIGNALS[state].send_robust(sender=Order, request=request, order=payment.order)
    if not settled and state == APPROVED and payment.state in (DECLINED, VOID):
        _return_stray_money(payment, reference)
    return payment


def _settle_order(order: Order, state: str, at: datetime) -> None:
    if state == APPROVED:
        to = Order.State.PAID
        mails.owe(order, OrderMail.Kind.CONFIRMATION, at)
    else:
        given_up = order.payments.filter(state=DECLINED).count() >= MOST_DECLINES
        to = Order.State.DECLINED if given_up else Order.State.PLACED
    if not states.move(order, Order.State.PAYING, to, at):
        raise RuntimeError(f"Order {order.number} left its payment, which cannot be: nothing else may move it.")


def _return_stray_money(payment: Payment, reference: str) -> None:
    """A provider said no, and then that it took the money: no order is due for it."""
    logger.error("Payment %s is %s, and was charged all the same: it goes back.", payment.key, payment.state)
    Payment.objects.move(payment.pk, [DECLINED, VOID], REFUND_DUE, reference=reference)
    payment.refresh_from_db()


def settle_unanswered(provider: PaymentProvider, asked_before: datetime, at: datetime) -> int:
    """Settles payments whose answer never came, or whose process died; returns how many.

    A charge that the provider does not know is closed there, so that none can arrive after the stock is given back.
    """
    settled = 0
    for payment in Payment.objects.pending_since(asked_before).select_related("order").order_by("pk").iterator():
        try:
            outcome = provider.void(str(payment.key)) if payment.amount else Charge(approved=True)
        except PaymentTimeout:
            continue
        settle(payment, outcome, at)
        settled += 1
    return settled


def owe_refund(order: Order) -> None:
    """Within the transaction that cancels a paid order."""
    order.payments.filter(state=APPROVED).update(state=REFUND_DUE)


def refund_what_is_due(provider: PaymentProvider, at: datetime, order: Order | None = None) -> int:
    """Gives back what is owed, of one order or of all, and returns how many. Where no answer comes it stays due."""
    due = Payment.objects.refunds_due().order_by("pk")
    if order is not None:
        due = due.filter(order=order)
    return sum(_refund(payment, provider, at) for payment in due)


def _refund(payment: Payment, provider: PaymentProvider, at: datetime) -> bool:
    try:
        if payment.amount:
            provider.refund(str(payment.key))
    except PaymentTimeout:
        logger.warning("The refund of payment %s timed out; it stays due.", payment.key)
        return False
    return Payment.objects.move(payment.pk, [REFUND_DUE], REFUNDED, refunded_at=at)
