from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders import idempotency
from shop.orders.idempotency import Answer, InProgress
from shop.orders.models import FakeCharge, KeyedRequest, Order
from shop.orders.payment import APPROVED, DECLINED, IS_LOST, TIMES_OUT
from tests.shop.buying import CHECKOUT, buy, client_of, one, pay, place, stock

AddProduct = Callable[..., Product]
KEY = "5b1f6a3e-2f0c-4c55-9a39-6a1de0c0a9b4"


@pytest.mark.parametrize("card", [APPROVED, DECLINED])
def test_the_same_request_is_answered_as_the_first_was(signed_in: Client, add_product: AddProduct, card: str) -> None:
    add_product(stock=5)

    first, second = (buy(signed_in, one(), card, KEY) for _ in range(2))

    assert second.json() == first.json()
    assert (second.status_code, second["Content-Type"]) == (first.status_code, first["Content-Type"])
    assert ("Idempotent-Replayed" in first, second["Idempotent-Replayed"]) == (False, "true")
    assert (Order.objects.count(), FakeCharge.objects.count(), stock()) == (1, 1, 4)


def test_an_answer_stays_as_it_was_whatever_became_of_the_order(signed_in: Client, add_product: AddProduct) -> None:
    add_product()
    first = buy(signed_in, one(), key=KEY)
    signed_in.post(f"/api/v1/orders/{first.json()['number']}/cancel/")

    assert buy(signed_in, one(), key=KEY).json()["state"] == "paid"


def test_what_was_refused_is_refused_again_under_its_key(signed_in: Client, add_product: AddProduct) -> None:
    add_product(stock=0)
    first = buy(signed_in, one(), key=KEY)
    Product.objects.update(stock=5)

    assert buy(signed_in, one(), key=KEY).json() == first.json()
    assert buy(signed_in, one()).status_code == 201


def test_another_request_under_the_same_key_is_refused(signed_in: Client, add_product: AddProduct) -> None:
    add_product(stock=5)
    buy(signed_in, one(), key=KEY)

    for answer in (
        buy(signed_in, one(quantity=2), key=KEY),
        buy(signed_in, one(), "5555555555554444", key=KEY),
        pay(signed_in, Order.objects.get(), key=KEY),
    ):
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:problem-type:shop:idempotency-key-reused"
    assert Order.objects.count() == 1


def test_the_same_request_written_otherwise_is_the_same(signed_in: Client, add_product: AddProduct) -> None:
    add_product(stock=5)
    bodies = [
        '{"card": "4242424242424242", "items": [{"sku": "LAMP", "quantity": 1}]}',
        '{ "items": [ {"quantity":1,"sku":"LAMP"} ],  "card":"4242424242424242" }',
    ]

    for body, key in zip(bodies, (KEY, f'"{KEY}"'), strict=True):
        signed_in.post(CHECKOUT, body, content_type="application/json", headers={"Idempotency-Key": key})

    assert Order.objects.count() == 1


def test_a_key_is_its_customers_own(signed_in: Client, ben: User, add_product: AddProduct) -> None:
    add_product(stock=5)

    answers = [buy(client, one(), key=KEY) for client in (signed_in, client_of(ben))]

    assert [answer.json()["customer"] for answer in answers] == ["ada", "ben"]


@pytest.mark.parametrize("key", [None, "", "short", "x" * 201, "a b c d e f", "ключ-ключ-ключ", "tab\tbed-key"])
def test_without_a_good_key_nothing_is_bought(signed_in: Client, add_product: AddProduct, key: str | None) -> None:
    add_product(stock=5)
    headers = {} if key is None else {"Idempotency-Key": key.encode().decode("latin-1")}

    answer = signed_in.post(
        CHECKOUT, {"items": one(), "card": APPROVED}, content_type="application/json", headers=headers
    )

    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:problem-type:shop:idempotency-key"
    assert stock() == 5


def test_a_bad_body_does_not_use_up_the_key(signed_in: Client, add_product: AddProduct) -> None:
    add_product()

    answers = [buy(signed_in, one(quantity=quantity), key=KEY).status_code for quantity in (0, 1)]

    assert answers == [400, 201]


def test_neither_key_nor_card_is_kept(signed_in: Client, add_product: AddProduct) -> None:
    add_product()
    buy(signed_in, one(), key=KEY)

    row = str(KeyedRequest.objects.values_list().get())

    assert KEY not in row
    assert APPROVED not in row


def test_a_key_is_new_again_after_a_day(signed_in: Client, add_product: AddProduct) -> None:
    add_product(stock=5)
    buy(signed_in, one(), key=KEY)
    KeyedRequest.objects.update(created_at=timezone.now() - timedelta(hours=24))

    assert buy(signed_in, one(quantity=2), key=KEY).status_code == 201
    assert idempotency.remove_old(timezone.now() + timedelta(hours=25)) == 1


def run_nothing(keyed: KeyedRequest) -> Answer:
    return Answer(200, {})


def test_while_the_first_is_at_work_the_second_is_told_to_wait(signed_in: Client, add_product: AddProduct) -> None:
    add_product()
    seen = []

    def ask_again(keyed: KeyedRequest) -> Answer:
        seen.append(buy(signed_in, one(), key=KEY))
        return Answer(200, {})

    asked = idempotency.fingerprint("checkout", {"items": one(), "card": APPROVED})
    idempotency.once(User.objects.get(), KEY, asked, timezone.now(), ask_again)

    assert seen[0].status_code == 409
    assert seen[0].json()["type"] == "urn:problem-type:shop:request-in-progress"
    assert seen[0]["Retry-After"] == "1"
    assert not Order.objects.exists()


def test_an_error_leaves_the_key_free(ada: User) -> None:
    def fail(keyed: KeyedRequest) -> Answer:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        idempotency.once(ada, KEY, "same", timezone.now(), fail)

    assert idempotency.once(ada, KEY, "same", timezone.now(), run_nothing).status == 200


def test_a_request_whose_process_died_is_gone_on_with_after_its_lock(ada: User) -> None:
    died_at = timezone.now()
    row = {"customer": ada, "key_hash": idempotency._hash("key", KEY), "fingerprint": "same"}
    KeyedRequest.objects.create(**row, created_at=died_at, locked_until=died_at + idempotency.LOCKED)

    with pytest.raises(InProgress):
        idempotency.once(ada, KEY, "same", died_at + timedelta(seconds=59), run_nothing)

    assert idempotency.once(ada, KEY, "same", died_at + timedelta(seconds=60), run_nothing).status == 200


def test_a_request_that_comes_to_life_after_its_lock_orders_nothing_more(ada: User, add_product: AddProduct) -> None:
    add_product(stock=5)
    keyed = KeyedRequest.objects.create(customer=ada, key_hash="x", fingerprint="y", created_at=timezone.now())
    asleep, took_over = KeyedRequest.objects.get(), keyed
    place(ada, keyed=took_over)

    with pytest.raises(InProgress):
        place(ada, keyed=asleep)

    assert (Order.objects.count(), FakeCharge.objects.count(), stock()) == (1, 1, 4)


@pytest.mark.parametrize("card", [TIMES_OUT, IS_LOST])
def test_a_payment_without_an_answer_is_not_an_answer_to_keep(
    signed_in: Client, add_product: AddProduct, card: str
) -> None:
    add_product(stock=5)

    first = buy(signed_in, one(), card, KEY)

    assert (first.status_code, first["Retry-After"]) == (504, "5")
    assert KeyedRequest.objects.get().status is None


def test_a_payment_that_timed_out_is_settled_by_the_retry_with_the_same_key(
    signed_in: Client, add_product: AddProduct
) -> None:
    add_product(stock=5)

    answers = [buy(signed_in, one(), TIMES_OUT, KEY) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [504, 201, 201]
    assert answers[2].json() == answers[1].json()
    assert answers[1].json()["state"] == "paid"
    assert (Order.objects.count(), FakeCharge.objects.get().state, stock()) == (1, "captured", 4)


def test_a_request_that_never_reached_the_provider_is_sent_again_by_the_retry(
    signed_in: Client, add_product: AddProduct
) -> None:
    add_product(stock=5)

    answers = [buy(signed_in, one(), IS_LOST, KEY).status_code for _ in range(3)]

    assert answers == [504, 504, 504]
    assert (Order.objects.get().state, Order.objects.get().payments.count(), stock()) == ("paying", 1, 4)
