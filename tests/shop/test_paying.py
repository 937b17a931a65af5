"""Money and orders: what is captured is what is paid, whatever the order of events."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import checks
from django.core.management import call_command
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders import checkout, handling, paying, states, tasks
from shop.orders.fake_provider import FakeProvider
from shop.orders.models import FakeCharge, Order, Payment
from shop.orders.payment import APPROVED, DECLINED, IS_LOST, TIMES_OUT, Card, Charge, PaymentTimeout
from tests.shop.buying import buy, client_of, move, one, pay, place, stock

AddProduct = Callable[..., Product]


@pytest.fixture(autouse=True)
def lamp(add_product: AddProduct) -> Product:
    return add_product(stock=5, price=Decimal("19.90"))


def captured() -> Decimal:
    return FakeCharge.objects.filter(state="captured").aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def paid() -> Decimal:
    return Order.objects.filter(state__in=["paid", "shipped"]).aggregate(sum=Sum("total"))["sum"] or Decimal(0)


def make_old(order: Order, minutes: int = 15) -> None:
    earlier = timezone.now() - timedelta(minutes=minutes)
    Order.objects.filter(pk=order.pk).update(created_at=earlier, expires_at=earlier + paying.RESERVED)
    order.payments.update(created_at=earlier)


def test_a_declined_order_is_paid_by_another_card_at_its_price(signed_in: Client) -> None:
    buy(signed_in, one(quantity=2), DECLINED)
    Product.objects.update(price=Decimal(99))
    order = Order.objects.get()

    answer = pay(signed_in, order)

    assert (answer.status_code, answer.json()["state"], answer.json()["total"]) == (200, "paid", "39.80")
    assert [payment["state"] for payment in answer.json()["payments"]] == ["declined", "approved"]
    assert (captured(), stock()) == (Decimal("39.80"), 3)


def test_an_order_is_paid_once(signed_in: Client) -> None:
    buy(signed_in, one())

    answer = pay(signed_in, Order.objects.get())

    assert (answer.status_code, answer.json()["state"]) == (409, "paid")
    assert FakeCharge.objects.count() == 1


def test_an_order_whose_time_is_over_is_not_paid_though_nobody_released_it_yet(signed_in: Client) -> None:
    buy(signed_in, one(), DECLINED)
    order = Order.objects.get()
    make_old(order)

    answer = pay(signed_in, order)

    assert (answer.status_code, answer.json()["detail"]) == (409, "The time to pay it is over.")
    assert captured() == 0


def test_a_second_payment_waits_for_the_first_ones_outcome(signed_in: Client) -> None:
    buy(signed_in, one(), TIMES_OUT)
    order = Order.objects.get()

    answers = [pay(signed_in, order).status_code, move(signed_in, order, "cancel").status_code]

    assert answers == [409, 409]
    assert captured() == Decimal("19.90")


def test_who_sees_an_order_of_another_does_not_pay_it(signed_in: Client, ben: User, admin_user: User) -> None:
    order = place(ben, DECLINED).order

    assert [pay(client, order).status_code for client in (signed_in, client_of(admin_user))] == [404, 404]
    assert captured() == 0


def test_what_nobody_pays_in_time_is_released_once(ada: User) -> None:
    order = place(ada, DECLINED, quantity=2).order
    make_old(order)

    released = [states.release_expired(timezone.now()) for _ in range(2)]

    order.refresh_from_db()
    assert (released, order.state, stock()) == ([1, 0], "expired", 5)


def test_what_has_time_left_is_not_released(ada: User) -> None:
    order = place(ada, DECLINED).order

    assert states.release_expired(order.expires_at - timedelta(microseconds=1)) == 0
    assert states.release_expired(order.expires_at) == 1


def test_a_checkout_releases_what_expired(ada: User, ben: User) -> None:
    make_old(place(ada, DECLINED, quantity=5).order)

    assert place(ben, quantity=5).order.state == "paid"


@pytest.mark.parametrize(("card", "state", "left"), [(TIMES_OUT, "paid", 3), (IS_LOST, "placed", 3)])
def test_a_payment_without_an_answer_is_settled_by_the_task(ada: User, card: str, state: str, left: int) -> None:
    order = place(ada, card, quantity=2).order
    make_old(order, minutes=2)

    told = [tasks.settle_orders() for _ in range(2)]

    order.refresh_from_db()
    assert told == ["settled 1, refunded 0, released 0", "settled 0, refunded 0, released 0"]
    assert (order.state, stock(), captured()) == (state, left, paid())


def test_the_command_does_what_the_task_does(ada: User, capsys: pytest.CaptureFixture[str]) -> None:
    make_old(place(ada, IS_LOST).order)

    call_command("settle_orders")

    assert capsys.readouterr().out == "Orders: settled 1, refunded 0, released 1.\n"
    assert stock() == 5


def test_a_young_payment_is_left_alone(ada: User) -> None:
    place(ada, TIMES_OUT)

    assert tasks.settle_orders() == "settled 0, refunded 0, released 0"


def test_an_order_at_the_provider_does_not_expire(ada: User) -> None:
    order = place(ada, TIMES_OUT).order
    make_old(order, minutes=60)

    assert states.release_expired(timezone.now()) == 0
    tasks.settle_orders()
    order.refresh_from_db()
    assert (order.state, captured()) == ("paid", paid())


def test_a_charge_that_arrives_after_its_order_was_given_up_is_not_made(ada: User) -> None:
    """The request was lost on the way, and comes to the provider an hour later."""
    payment = place(ada, IS_LOST)
    make_old(payment.order, minutes=60)
    tasks.settle_orders()

    late = FakeProvider().charge(str(payment.key), payment.amount, payment.currency, Card(APPROVED))

    payment.order.refresh_from_db()
    assert (late.approved, payment.order.state, captured()) == (False, "expired", 0)


def test_the_retry_of_a_payment_that_was_given_up_says_so(signed_in: Client) -> None:
    key = "a-key-of-ada"
    buy(signed_in, one(), IS_LOST, key)
    make_old(Order.objects.get(), minutes=2)
    tasks.settle_orders()

    answer = buy(signed_in, one(), IS_LOST, key)

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:problem-type:shop:payment-not-made"
    assert pay(signed_in, Order.objects.get()).status_code == 200


def test_a_charge_is_settled_once(ada: User) -> None:
    payment = place(ada, TIMES_OUT)

    for _ in range(3):
        paying.settle(payment, Charge(approved=True, reference="r"), timezone.now())

    assert (payment.state, stock(), payment.order.mails.count()) == ("approved", 4, 1)


def test_money_that_comes_after_a_no_goes_back(ada: User, caplog: pytest.LogCaptureFixture) -> None:
    """A provider that contradicts itself."""
    payment = place(ada, DECLINED)
    FakeCharge.objects.update(state="captured")

    paying.settle(payment, Charge(approved=True), timezone.now())
    tasks.settle_orders()

    payment.refresh_from_db()
    assert (payment.state, captured(), paid()) == ("refunded", 0, 0)
    assert "was charged all the same" in caplog.text


class Watching(FakeProvider):
    """Does something else while the money is on its way."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.meanwhile = meanwhile

    def charge(self, key: str, amount: Decimal, currency: str, card: Card) -> Charge:
        self.meanwhile()
        return super().charge(key, amount, currency, card)


def test_expiry_while_the_charge_is_under_way_releases_nothing(ada: User) -> None:
    def expire() -> None:
        make_old(Order.objects.get(), minutes=60)
        states.release_expired(timezone.now())

    payment = place(ada, provider=Watching(expire))

    assert (payment.order.state, stock(), captured()) == ("paid", 4, paid())


def test_a_charge_that_the_task_closed_meanwhile_is_not_made(ada: User) -> None:
    def give_up() -> None:
        make_old(Order.objects.get(), minutes=60)
        tasks.settle_orders()

    payment = place(ada, provider=Watching(give_up))

    payment.order.refresh_from_db()
    assert (payment.state, payment.order.state, stock(), captured()) == ("void", "expired", 5, 0)


class Silent(FakeProvider):
    """Answers no question."""

    def find(self, key: str) -> Charge | None:
        raise PaymentTimeout

    def void(self, key: str) -> Charge | None:
        raise PaymentTimeout

    def refund(self, key: str) -> None:
        raise PaymentTimeout


def test_a_provider_that_answers_nothing_is_asked_again_later(ada: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    now = timezone.now()
    timed_out = place(ada, TIMES_OUT)
    cancelled = place(ada).order
    handling.cancel(cancelled, Silent(), now)

    assert paying.resume(timed_out, Card(TIMES_OUT), Silent(), None).state == "pending"
    assert paying.settle_unanswered(Silent(), now + timedelta(hours=1), now) == 0
    assert paying.refund_what_is_due(Silent(), now) == 0
    assert "timed out" in caplog.text
    assert paying.settle_unanswered(FakeProvider(), now + timedelta(hours=1), now) == 1
    assert paying.refund_what_is_due(FakeProvider(), now) == 1
    assert captured() == paid() == Decimal("19.90")


class Broken(FakeProvider):
    def charge(self, key: str, amount: Decimal, currency: str, card: Card) -> Charge:
        raise RuntimeError("a bug")


def test_a_provider_that_breaks_leaves_a_payment_to_be_settled(ada: User) -> None:
    with pytest.raises(RuntimeError):
        place(ada, provider=Broken())

    assert (Order.objects.get().state, stock()) == ("paying", 4)
    make_old(Order.objects.get())
    tasks.settle_orders()
    assert (Order.objects.get().state, stock()) == ("expired", 5)


def test_a_customer_lets_only_so_many_orders_wait(signed_in: Client, ben: User) -> None:
    for _ in range(paying.MOST_UNPAID):
        buy(signed_in, one(), DECLINED)
    Product.objects.update(stock=5)

    answer = buy(signed_in, one())

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:problem-type:shop:too-many-unpaid-orders"
    assert len(answer.json()["orders"]) == paying.MOST_UNPAID
    assert place(ben).order.state == "paid"


def test_a_total_that_is_not_the_expected_one_is_refused(signed_in: Client) -> None:
    answers = [buy(signed_in, one(), expected_total=total) for total in ("19.91", "19.9")]

    assert [answer.status_code for answer in answers] == [409, 201]
    assert answers[0].json()["total"] == "19.90"
    assert stock() == 4


def fill(client: Client, quantity: int = 2, **headers: str) -> Any:
    return client.post(
        "/api/v1/cart/items/", {"sku": "LAMP", "quantity": quantity}, content_type="application/json", headers=headers
    ).json()


def buy_cart(client: Client, **headers: str) -> Any:
    headers |= {"Idempotency-Key": "a-key-for-the-cart"}
    return client.post("/api/v1/checkout/", {"card": APPROVED}, content_type="application/json", headers=headers)


def test_the_cart_is_bought_with_its_coupon_and_then_empty(signed_in: Client, add_coupon: Callable[..., Any]) -> None:
    add_coupon()
    fill(signed_in)
    signed_in.post("/api/v1/cart/coupon/", {"code": "WELCOME10"}, content_type="application/json")

    answer = buy_cart(signed_in)

    assert (answer.status_code, answer.json()["total"], answer.json()["coupon"]) == (201, "35.82", "WELCOME10")
    left = signed_in.get("/api/v1/cart/").json()
    assert (left["lines"], left["coupon"]) == ([], None)


def test_a_strangers_cart_is_bought_by_who_signed_in(signed_in: Client) -> None:
    token = fill(Client())["token"]

    answer = buy_cart(signed_in, **{"X-Cart-Token": token})

    assert answer.json()["lines"][0]["quantity"] == 2


@pytest.mark.parametrize(
    ("change", "problem"),
    [({"active": False}, "not-on-sale"), ({"stock": 1}, "out-of-stock")],
)
def test_a_cart_that_cannot_be_bought_stays_as_it_is(signed_in: Client, change: dict[str, Any], problem: str) -> None:
    fill(signed_in)
    Product.objects.update(**change)

    answer = buy_cart(signed_in)

    assert (answer.status_code, answer.json()["type"]) == (409, f"urn:problem-type:shop:{problem}")
    assert len(signed_in.get("/api/v1/cart/").json()["lines"]) == 1


def test_an_empty_cart_buys_nothing(signed_in: Client) -> None:
    answer = buy_cart(signed_in)

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:problem-type:shop:empty-cart")


def test_a_coupon_in_the_body_goes_with_items_only(signed_in: Client) -> None:
    answer = signed_in.post("/api/v1/checkout/", {"card": APPROVED, "coupon": "X"}, content_type="application/json")

    assert [error["pointer"] for error in answer.json()["errors"]] == ["#/coupon"]


def test_a_provider_charges_and_refunds_once_for_a_key() -> None:
    provider, price = FakeProvider(), Decimal(5)

    charges = [provider.charge("key", price, "EUR", Card(card)) for card in (APPROVED, APPROVED, DECLINED)]
    for _ in range(2):
        provider.refund("key")

    assert {charge.approved for charge in charges} == {True}
    assert FakeCharge.objects.get().state == "refunded"
    assert provider.find("other") is None


def test_the_settings_name_the_provider(settings: Any, ada: User) -> None:
    settings.PAYMENT_PROVIDER = "tests.shop.test_paying.Silent"
    make_old(place(ada, TIMES_OUT).order)

    assert tasks.settle_orders() == "settled 0, refunded 0, released 0"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("tests.shop.no_such_module.Bank", "orders.E001"),
        ("Bank", "orders.E001"),
        ("shop.orders.payment.Card", "orders.E001"),
        ("shop.orders.payment.PaymentTimeout", "orders.E002"),
    ],
)
def test_a_provider_that_cannot_be_asked_is_an_error_at_start(settings: Any, path: str, said: str) -> None:
    settings.PAYMENT_PROVIDER = path

    assert [message.id for message in checks.run_checks(tags=[checks.Tags.compatibility])] == [said]


def test_everything_is_still_one_transaction_for_the_reservation(ada: User) -> None:
    with pytest.raises(checkout.OutOfStock):
        place(ada, quantity=6)

    assert (Order.objects.count(), Payment.objects.count(), stock()) == (0, 0, 5)
