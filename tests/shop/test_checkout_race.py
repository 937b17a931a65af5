"""Real threads, each with a connection of its own: what happens when everybody buys at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.http import HttpRequest

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders import checkout
from shop.orders.models import Order
from shop.orders.payment import APPROVED, DECLINED, Card, FakeProvider

AddProduct = Callable[..., Product]


@pytest.fixture(autouse=True)
def server() -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("SQLite in memory refuses a second writer instead of letting it wait.")


def all_at_once(number: int, action: Callable[[int], object]) -> Counter[str]:
    """Runs the action in so many threads that start together; counts how they ended, by exception or "done"."""
    ends: Counter[str] = Counter()
    start = Barrier(number)

    def run(index: int) -> None:
        start.wait()
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


@pytest.mark.django_db(transaction=True)
def test_twenty_racing_for_the_last_five_leave_five_paid_and_none_in_stock(ada: User, add_product: AddProduct) -> None:
    add_product(stock=5)

    ends = all_at_once(
        20, lambda _: checkout.place(ada, [checkout.Item("LAMP", 1)], Card(APPROVED), FakeProvider(), HttpRequest())
    )

    assert ends == {"done": 5, "OutOfStock": 15}
    assert Order.objects.filter(state="paid").count() == Order.objects.count() == 5
    assert Product.objects.get().stock == 0


@pytest.mark.django_db(transaction=True)
def test_baskets_with_the_same_products_in_other_orders_never_block_each_other(
    ada: User, add_product: AddProduct
) -> None:
    """Half decline, so giving back and taking meet as well. A deadlock would end some with OperationalError."""
    baskets = [[checkout.Item(add_product(f"P{number}", stock=1000).sku, 1) for number in range(8)]]
    baskets.append(baskets[0][::-1])
    cards = [Card(APPROVED), Card(DECLINED)]

    def shop_ten_times(index: int) -> None:
        for round_ in range(10):
            items, card = baskets[(index + round_) % 2], cards[index // 2 % 2]
            checkout.place(ada, items, card, FakeProvider(), HttpRequest())

    ends = all_at_once(12, shop_ten_times)

    assert ends == {"done": 12}
    assert set(Product.objects.values_list("stock", flat=True)) == {1000 - 60}
