from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.utils import timezone

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders import mails, tasks
from shop.orders.models import OrderMail
from shop.orders.payment import APPROVED, DECLINED, TIMES_OUT
from tests.shop.buying import move, place

AddProduct = Callable[..., Product]


@pytest.fixture(autouse=True)
def lamp(add_product: AddProduct) -> Product:
    return add_product(stock=50, name="Lamp <b>&co", price=Decimal("19.90"))


class Down(EmailBackend):
    def send_messages(self, messages: Any) -> int:
        raise SMTPServerDisconnected("gone")


def test_a_paid_order_is_confirmed_once(ada: User, add_coupon: Callable[..., Any]) -> None:
    add_coupon()
    order = place(ada, quantity=2, coupon="WELCOME10").order

    told = [tasks.send_mails() for _ in range(2)]

    (sent,) = mail.outbox
    assert told == ["sent 1", "sent 0"]
    assert (sent.to, sent.subject) == (["ada@example.com"], f"Your order {order.number}")
    assert "2 x Lamp <b>&co (LAMP): 19.90 EUR each" in sent.body
    assert "Discount: -3.98 EUR\nTotal: 35.82 EUR" in sent.body


def test_a_cancelled_order_is_told_of_once(signed_in: Client, ada: User) -> None:
    order = place(ada, DECLINED).order
    for _ in range(2):
        move(signed_in, order, "cancel")

    tasks.send_mails()

    (sent,) = mail.outbox
    assert sent.subject == f"Your order {order.number} was cancelled"
    assert "1 x Lamp <b>&co (LAMP)" in sent.body


@pytest.mark.parametrize("card", [DECLINED, TIMES_OUT])
def test_what_is_not_paid_is_not_confirmed(ada: User, card: str) -> None:
    place(ada, card)

    assert not OrderMail.objects.exists()


def test_who_has_no_address_is_sent_none(db: None) -> None:
    place(User.objects.create_user("dan"))

    assert not OrderMail.objects.exists()


def test_a_mail_that_was_not_sent_is_tried_again_ever_later_and_given_up(settings: Any, ada: User) -> None:
    settings.EMAIL_BACKEND = "tests.shop.test_order_mails.Down"
    place(ada, APPROVED)
    now, pauses_min = timezone.now(), []

    while due := mails.due(now):
        mails.send(due[0], now)
        row = OrderMail.objects.get()
        assert mails.due(row.due_at - timedelta(microseconds=1)) == []
        pauses_min.append((row.due_at - now).total_seconds() / 60)
        now = row.due_at

    assert pauses_min == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert (row.state, row.tries, mails.due(now + timedelta(days=9))) == ("failed", 9, [])


def test_a_mail_that_failed_goes_when_the_server_is_back(settings: Any, ada: User) -> None:
    place(ada)
    works, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "tests.shop.test_order_mails.Down"
    assert tasks.send_mails() == "sent 0"
    settings.EMAIL_BACKEND = works

    assert [tasks.send_mails(), mails.send(OrderMail.objects.get().pk, timezone.now())] == ["sent 0", True]
    assert len(mail.outbox) == 1


def test_a_mail_that_another_worker_has_taken_is_left_alone(ada: User) -> None:
    place(ada)
    OrderMail.objects.update(state="sending")

    assert not mails.send(OrderMail.objects.get().pk, timezone.now())
    assert mail.outbox == []
