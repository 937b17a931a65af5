"""Mails about orders. A row is written with what makes it due, and a task sends it: no customer waits for a server."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.core.mail import send_mail
from django.db.models import F
from django.template.loader import render_to_string

from shop.orders.models import Order, OrderMail

logger = logging.getLogger(__name__)

State = OrderMail.State
SUBJECTS: dict[str, str] = {
    OrderMail.Kind.CONFIRMATION: "Your order {number}",
    OrderMail.Kind.CANCELLATION: "Your order {number} was cancelled",
}

# 1, 2, 4... minutes between: the last try is more than four hours after the first, so that a mail server may be mended.
MOST_TRIES = 9


def owe(order: Order, kind: str, now: datetime) -> None:
    """Within the transaction that makes the mail due. Once for each order and kind; without an address, none."""
    if order.customer.email:
        OrderMail.objects.get_or_create(order=order, kind=kind, defaults={"due_at": now})


def due(now: datetime) -> list[int]:
    return list(
        OrderMail.objects.filter(state=State.DUE, due_at__lte=now).order_by("due_at", "pk").values_list("pk", flat=True)
    )


def send(pk: int, now: datetime) -> bool:
    """Returns whether the mail is on its way now. Of two who send at once, one finds it taken.

    A server that took the mail and broke off before it said so is sent it again: nothing here can tell.
    """
    if not OrderMail.objects.filter(pk=pk, state=State.DUE).update(state=State.SENDING, tries=F("tries") + 1):
        return False
    mail = OrderMail.objects.select_related("order__customer", "order__coupon").get(pk=pk)
    try:
        _hand_over(mail)
    except (SMTPException, OSError) as error:
        _try_later(mail, error, now)
        return False
    OrderMail.objects.filter(pk=pk).update(state=State.SENT, sent_at=now)
    return True


def _hand_over(mail: OrderMail) -> None:
    order = mail.order
    text = render_to_string(f"orders/mail/{mail.kind}.txt", {"order": order, "lines": order.lines.all()})
    send_mail(SUBJECTS[mail.kind].format(number=order.number), text, None, [order.customer.email or ""])


def _try_later(mail: OrderMail, error: Exception, now: datetime) -> None:
    given_up = mail.tries >= MOST_TRIES
    pause = timedelta(minutes=2 ** (mail.tries - 1))
    OrderMail.objects.filter(pk=mail.pk).update(state=State.FAILED if given_up else State.DUE, due_at=now + pause)
    logger.warning(
        "The %s of order %s was not sent (%s)%s.",
        mail.kind,
        mail.order.number,
        type(error).__name__,
        "; given up" if given_up else f"; again in {pause}",
    )
