"""What the shop's workers do about orders. Each task may run twice, or two at once: they find nothing left to do."""

from __future__ import annotations

import time

from celery import shared_task
from django.utils import timezone

from shop.orders import carts, idempotency, mails, paying, payment, states
from shop.tries import BRIEF, PATIENT, RUN_AGAIN

# A mail server may take ten seconds for each (EMAIL_TIMEOUT), and the task's time limit is five minutes.
SEND_S = 200.0


@shared_task(name="shop.orders.tasks.settle_orders", **BRIEF, **RUN_AGAIN)
def settle_orders() -> str:
    """Asks for payments without an answer, gives back what is owed, and releases what nobody paid in time."""
    now, provider = timezone.now(), payment.provider()
    settled = paying.settle_unanswered(provider, now - paying.UNANSWERED, now)
    refunded = paying.refund_what_is_due(provider, now)
    released = states.release_expired(now)
    return f"settled {settled}, refunded {refunded}, released {released}"


@shared_task(name="shop.orders.tasks.send_mails", **BRIEF, **RUN_AGAIN)
def send_mails() -> str:
    until = time.monotonic() + SEND_S
    sent = 0
    for mail in mails.due(timezone.now()):
        if time.monotonic() > until:
            break  # the others are due at the next run too
        sent += mails.send(mail, timezone.now())
    return f"sent {sent}"


@shared_task(name="shop.orders.tasks.remove_old", **PATIENT, **RUN_AGAIN)
def remove_old() -> str:
    """Carts that nobody came back to, and answers whose keys ran out."""
    now = timezone.now()
    return f"removed {carts.remove_old(now)} carts, {idempotency.remove_old(now)} keys"
