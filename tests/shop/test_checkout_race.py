"""Real threads, each with a connection of its own: what happens when everybody buys at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, BoundedSemaphore, Thread
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders import carts, checkout, handling, mails, paying, states
from shop.orders.cart_owner import Shopper
from shop.orders.checkout import Item, Purchase
from shop.orders.fake_provider import FakeProvider
from shop.orders.models import Cart, CartItem, Coupon, CouponCustomer, FakeCharge, Order, OrderMail, Payment
from shop.orders.payment import APPROVED, DECLINED, TIMES_OUT, Card
from tests.shop.buying import buy, client_of, one, place, stock

AddProduct = Callable[..., Product]
AddCoupon = Callable[..., Coupon]

pytestmark = pytest.mark.django_db(transaction=True)

# PostgreSQL lets a hundred connections in; so many threads of more begin at once, and the others as these end.
CONNECTIONS = 60


@pytest.fixture(autouse=True)
def server() -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("SQLite in memory refuses a second writer instead of letting it wait.")


def all_at_once(number: int, action: Callable[[int], object]) -> Counter[str]:
    """Runs the action in so many threads that start together; counts how they ended, by exception or "done"."""
    ends: Counter[str] = Counter()
    start, places = Barrier(number), BoundedSemaphore(CONNECTIONS)

    def run(index: int) -> None:
        start.wait()
        with places:
            try:
                action(index)
            except Exception as exc:  # noqa: BLE001 - how each ended is the result
                ends[type(exc).__name__] += 1
            else:
                ends["done"] += 1
            finally:
                connection.close()

    threads = [Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


@pytest.fixture
def crowd() -> list[User]:
    return User.objects.bulk_create(
        User(username=f"customer{number}", email=f"customer{number}@example.com") for number in range(200)
    )


def assert_money_is_right() -> None:
    """What the provider's own book has captured is what the paid orders cost, order by order."""
    captured = dict(FakeCharge.objects.filter(state="captured").values_list("key", "amount"))
    approved = Payment.objects.filter(state="approved").select_related("order")
    assert captured == {str(payment.key): payment.order.total for payment in approved}
    assert {payment.order.state for payment in approved} <= {"paid", "shipped"}
    assert Order.objects.filter(state__in=["paid", "shipped"]).count() == len(captured)


def test_two_hundred_racing_for_the_last_ten_leave_ten_paid_and_none_in_stock(
    crowd: list[User], add_product: AddProduct
) -> None:
    add_product(stock=10)

    ends = all_at_once(200, lambda index: place(crowd[index]))

    assert ends == {"done": 10, "OutOfStock": 190}
    assert Order.objects.filter(state="paid").count() == Order.objects.count() == 10
    assert stock() == 0
    assert_money_is_right()


def test_a_crowd_with_every_card_leaves_money_stock_and_orders_in_step(
    crowd: list[User], add_product: AddProduct
) -> None:
    """Of those whose card is declined half cancel, the others are released an hour later, as is what timed out."""
    add_product(stock=20)
    cards = [APPROVED, DECLINED, TIMES_OUT, DECLINED]

    def shop(index: int) -> None:
        order = place(crowd[index], cards[index % 4]).order
        if index % 4 == 1:
            handling.cancel(order, FakeProvider(), timezone.now())
        if index % 8 == 0:
            handling.cancel(order, FakeProvider(), timezone.now())

    all_at_once(120, shop)
    later = timezone.now() + timedelta(hours=1)
    paying.settle_unanswered(FakeProvider(), later, later)
    states.release_expired(later)

    held = Order.objects.filter(state="paid").aggregate(sum=Sum("lines__quantity"))["sum"] or 0
    assert stock() + held == 20
    assert set(Order.objects.values_list("state", flat=True)) <= {"paid", "cancelled", "expired"}
    assert_money_is_right()


def test_baskets_with_the_same_products_in_other_orders_never_block_each_other(
    crowd: list[User], add_product: AddProduct, add_coupon: AddCoupon
) -> None:
    """Half decline and cancel, so giving back and taking meet as well. A deadlock would end some."""
    basket = [Item(add_product(f"P{number}", stock=1000).sku, 1) for number in range(8)]
    add_coupon()

    def shop_five_times(index: int) -> None:
        for round_ in range(5):
            purchase = Purchase(basket[:: 1 if (index + round_) % 2 else -1], coupon="WELCOME10")
            card = Card([APPROVED, DECLINED][index // 2 % 2])
            order = checkout.place(crowd[index], purchase, card, FakeProvider(), HttpRequest()).order
            if order.state == "placed":
                handling.cancel(order, FakeProvider(), timezone.now())

    ends = all_at_once(12, shop_five_times)

    assert ends == {"done": 12}
    assert set(Product.objects.values_list("stock", flat=True)) == {1000 - 30}
    assert Coupon.objects.get().uses == 30


def test_a_coupon_of_five_uses_is_used_five_times_by_fifty(
    crowd: list[User], add_product: AddProduct, add_coupon: AddCoupon
) -> None:
    """Each buys something else: those who wait for one product's row would come to the coupon one by one."""
    skus = [add_product(f"P{number}", stock=1).sku for number in range(50)]
    add_coupon(max_uses=5)

    ends = all_at_once(50, lambda index: place(crowd[index], sku=skus[index], coupon="WELCOME10"))

    assert ends == {"done": 5, "CouponRefused": 45}
    assert (Coupon.objects.get().uses, Order.objects.filter(coupon__isnull=False).count()) == (5, 5)
    assert Product.objects.filter(stock=1).count() == 45


def test_one_customer_at_once_uses_a_coupon_as_often_as_one_may(
    ada: User, add_product: AddProduct, add_coupon: AddCoupon
) -> None:
    skus = [add_product(f"P{number}", stock=1).sku for number in range(20)]
    add_coupon(max_uses_per_customer=2)

    ends = all_at_once(20, lambda index: place(ada, sku=skus[index], coupon="WELCOME10"))

    assert ends["done"] == 2
    assert (Coupon.objects.get().uses, CouponCustomer.objects.get().uses) == (2, 2)


def test_the_same_key_twenty_times_at_once_is_one_order(ada: User, add_product: AddProduct) -> None:
    add_product(stock=100)
    key, answers = str(uuid4()), []

    def send(_: int) -> None:
        answers.append(buy(client_of(ada), one(), key=key))

    ends = all_at_once(20, send)

    assert ends == {"done": 20}
    assert {answer.status_code for answer in answers} <= {201, 409}
    good = {answer.json()["number"] for answer in answers if answer.status_code == 201}
    assert good == {str(Order.objects.get().number)}
    assert stock() == 99
    assert_money_is_right()


def test_the_retry_of_a_timed_out_payment_twenty_times_at_once_settles_it_once(
    ada: User, add_product: AddProduct
) -> None:
    add_product(stock=100)
    key = str(uuid4())
    assert buy(client_of(ada), one(), TIMES_OUT, key).status_code == 504

    statuses: list[int] = []
    all_at_once(20, lambda _: statuses.append(buy(client_of(ada), one(), TIMES_OUT, key).status_code))

    assert set(statuses) <= {201, 409}
    assert (Order.objects.get().state, OrderMail.objects.count(), stock()) == ("paid", 1, 99)
    assert_money_is_right()


def test_one_order_paid_by_twenty_cards_at_once_is_paid_once(ada: User, add_product: AddProduct) -> None:
    add_product(stock=100)
    order = place(ada, DECLINED).order

    ends = all_at_once(20, lambda _: paying.pay(Order.objects.get(), Card(APPROVED), FakeProvider(), None))

    assert ends == {"done": 1, "NotAllowed": 19}
    order.refresh_from_db()
    assert order.state == "paid"
    assert_money_is_right()


def test_paying_cancelling_and_expiring_at_once_end_in_one_of_them(crowd: list[User], add_product: AddProduct) -> None:
    add_product(stock=100)
    for index in range(10):
        place(crowd[index], DECLINED)
    # At this very moment the time is over for the one, and for the other not quite.
    now = timezone.now()
    Order.objects.update(expires_at=now + timedelta(seconds=1))
    orders = list(Order.objects.order_by("pk"))

    def meddle(index: int) -> None:
        order = Order.objects.get(pk=orders[index // 6].pk)
        if index % 3 == 0:
            paying.pay(order, Card(APPROVED), FakeProvider(), None)
        elif index % 3 == 1:
            handling.cancel(order, FakeProvider(), now)
        else:
            states.release_expired(now + timedelta(seconds=1))

    all_at_once(60, meddle)

    ended = Counter(Order.objects.values_list("state", flat=True))
    assert set(ended) <= {"paid", "cancelled", "expired"}
    assert stock() == 100 - ended["paid"]
    assert_money_is_right()


def test_twenty_who_release_at_once_give_back_once(ada: User, add_product: AddProduct) -> None:
    add_product(stock=5)
    place(ada, DECLINED, quantity=5)
    later = timezone.now() + timedelta(hours=1)

    ends = all_at_once(20, lambda _: states.release_expired(later))

    assert ends == {"done": 20}
    assert stock() == 5


def test_a_paid_order_cancelled_twenty_times_at_once_is_refunded_once(ada: User, add_product: AddProduct) -> None:
    add_product(stock=5)
    place(ada, quantity=3)

    ends = all_at_once(20, lambda _: handling.cancel(Order.objects.get(), FakeProvider(), timezone.now()))

    assert ends == {"done": 1, "NotAllowed": 19}
    assert (stock(), OrderMail.objects.filter(kind="cancellation").count()) == (5, 1)
    assert_money_is_right()


def test_two_runs_of_the_task_send_each_mail_once(crowd: list[User], add_product: AddProduct) -> None:
    add_product(stock=10)
    for customer in crowd[:3]:
        place(customer)
    sent: list[bool] = []
    now = timezone.now()

    all_at_once(20, lambda _: sent.extend(mails.send(pk, now) for pk in mails.due(now)))

    assert sum(sent) == 3
    assert set(OrderMail.objects.values_list("state", "tries")) == {("sent", 1)}


def test_a_cart_merged_by_twenty_requests_at_once_is_merged_once(ada: User, add_product: AddProduct) -> None:
    add_product(stock=10)
    now = timezone.now()
    token = carts.add(Shopper(), "LAMP", 2, now).token
    carts.add(Shopper(ada), "LAMP", 1, now)

    ends = all_at_once(20, lambda _: carts.contents(Shopper(ada, token), now))

    assert ends == {"done": 20}
    assert [line.quantity for line in carts.contents(Shopper(ada), now).lines] == [3]
    assert Cart.objects.count() == 1


def quantity_of(customer: User) -> int:
    return sum(line.quantity for line in carts.contents(Shopper(customer), timezone.now()).lines)


def test_twenty_carts_merged_at_once_are_all_there(ada: User, add_product: AddProduct) -> None:
    add_product(stock=10)
    now = timezone.now()
    tokens = [carts.add(Shopper(), "LAMP", 2, now).token for _ in range(20)]

    ends = all_at_once(20, lambda index: carts.contents(Shopper(ada, tokens[index]), now))

    assert ends == {"done": 20}
    assert (quantity_of(ada), Cart.objects.count()) == (40, 1)


def test_a_token_that_two_customers_send_at_once_is_one_of_theirs(
    ada: User, ben: User, add_product: AddProduct
) -> None:
    add_product(stock=10)
    now = timezone.now()
    both = [ada, ben]
    for customer in both:
        carts.add(Shopper(customer), "LAMP", 1, now)

    for _ in range(5):
        token = carts.add(Shopper(), "LAMP", 2, now).token
        ends = all_at_once(20, lambda index, token=token: carts.contents(Shopper(both[index % 2], token), now))
        assert ends == {"done": 20}

    assert quantity_of(ada) + quantity_of(ben) == 2 + 5 * 2


def test_what_a_stranger_adds_while_the_cart_is_merged_is_not_lost(ada: User, add_product: AddProduct) -> None:
    """Another tab of theirs, not signed in yet: what comes too late begins a new cart."""
    add_product(stock=10)
    now = timezone.now()

    for _ in range(5):
        token = carts.add(Shopper(), "LAMP", 1, now).token

        def shop(index: int, token: str = token) -> None:
            if index % 2:
                carts.add(Shopper(None, token), "LAMP", 1, now)
            else:
                carts.contents(Shopper(ada, token), now)

        assert all_at_once(20, shop) == {"done": 20}

    assert CartItem.objects.aggregate(sum=Sum("quantity"))["sum"] == 5 * 11


def test_the_same_thing_added_twenty_times_at_once_is_one_line_of_twenty(ada: User, add_product: AddProduct) -> None:
    add_product(stock=10)
    now = timezone.now()

    ends = all_at_once(20, lambda _: carts.add(Shopper(ada), "LAMP", 1, now))

    assert ends == {"done": 20}
    assert [line.quantity for line in carts.contents(Shopper(ada), now).lines] == [20]


def test_a_cart_bought_twenty_times_at_once_is_bought_once(ada: User, add_product: AddProduct) -> None:
    add_product(stock=100)
    carts.add(Shopper(ada), "LAMP", 2, timezone.now())

    ends = all_at_once(20, lambda _: checkout.place(ada, Purchase(), Card(APPROVED), FakeProvider(), HttpRequest()))

    assert ends == {"done": 1, "EmptyCart": 19}
    assert stock() == 98
    assert_money_is_right()
