"""Threads that write and read in an order that chance gives: nobody is shown what was before a finished write."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from threading import Thread

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from pytest_django import Settings

from shop.catalogue import reading
from shop.catalogue.generations import PREFIX, PRODUCTS, STOCK, TREE
from shop.catalogue.models import Category, Product
from shop.catalogue.paging import Piece
from tests.shop.kept import PATIENT

AddProduct = Callable[..., Product]

WRITERS, READERS, ROUNDS = 4, 4, 60
# Shown by nobody, ever: it is always rolled back.
NEVER = 1_000_000


@pytest.fixture(autouse=True)
def in_quick_turns(settings: Settings) -> Iterator[None]:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("SQLite in memory refuses a second writer instead of letting it wait.")
    settings.CACHES = PATIENT
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


class Race:
    """Each writer has a product of its own, whose stock only grows: its number says which write is shown."""

    def __init__(self, products: list[Product]) -> None:
        self.products = {product.slug: product for product in products}
        self.finished = dict.fromkeys(self.products, 0)
        self.begun = dict.fromkeys(self.products, 0)
        self.wrong: list[str] = []

    def write(self, slug: str, chance: random.Random) -> None:
        pk = self.products[slug].pk
        for number in range(1, ROUNDS + 1):
            self.begun[slug] = number
            chance.choice([self._save, self._update, self._give_back, self._after_a_rollback, self._beside_others])(
                pk, number
            )
            # From here on nobody who begins to read may be shown less.
            self.finished[slug] = number

    def _save(self, pk: int, number: int) -> None:
        product = Product.objects.get(pk=pk)
        product.stock = number
        product.save()

    def _update(self, pk: int, number: int) -> None:
        Product.objects.filter(pk=pk).update(stock=number)

    def _give_back(self, pk: int, number: int) -> None:
        Product.objects.give_back(pk, 1)

    def _after_a_rollback(self, pk: int, number: int) -> None:
        with transaction.atomic():
            Product.objects.give_back(pk, NEVER)
            reading.products({}, Piece(20))
            transaction.set_rollback(True)
        Product.objects.give_back(pk, 1)

    def _beside_others(self, pk: int, number: int) -> None:
        with transaction.atomic():
            Product.objects.give_back(pk, 1)
            Category.objects.filter(products__pk=pk).update(name=f"Name {number}")

    def read(self, chance: random.Random) -> None:
        category = {slug: product.category.slug for slug, product in self.products.items()}
        while any(number < ROUNDS for number in self.finished.values()):
            if chance.random() < 0.1:
                cache.delete(PREFIX + chance.choice([TREE, PRODUCTS, STOCK]))  # as if it were evicted
            slug = chance.choice(list(self.products))
            least = dict(self.finished)
            rows = chance.choice(
                [
                    lambda slug=slug: [reading.product(slug)],
                    lambda: reading.products({}, Piece(20)).results,
                    lambda slug=slug: reading.products({"category": category[slug]}, Piece(20)).results,
                    lambda: reading.products({"category": "home", "ordering": "price"}, Piece(20, cursor="")).results,
                ]
            )()
            self._judge(rows, least)

    def _judge(self, rows: list[dict[str, object]], least: dict[str, int]) -> None:
        for row in rows:
            slug, stock = str(row["slug"]), int(str(row["stock"]))
            if not least[slug] <= stock <= self.begun[slug]:
                self.wrong.append(f"{slug}: {stock}, though {least[slug]} was finished and {self.begun[slug]} begun")

    def run(self, seed: int) -> None:
        jobs: list[Callable[[], None]] = [
            lambda slug=slug, n=n: self.write(slug, random.Random(f"{seed} writer {n}"))
            for n, slug in enumerate(self.products)
        ]
        jobs += [lambda n=n: self.read(random.Random(f"{seed} reader {n}")) for n in range(READERS)]
        threads = [Thread(target=self._in_a_thread, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _in_a_thread(self, job: Callable[[], None]) -> None:
        try:
            job()
        except Exception as exc:  # noqa: BLE001 - told by the test
            self.wrong.append(repr(exc))
            self.finished = dict.fromkeys(self.finished, ROUNDS)
        finally:
            connection.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nobody_is_shown_what_was_before_a_finished_write(seed: int, add_product: AddProduct) -> None:
    home = Category.objects.create(name="Home", slug="home")
    products = [add_product(f"P{n}", category=f"c{n % 2}", stock=0, price=Decimal(n + 1)) for n in range(WRITERS)]
    Category.objects.filter(slug__startswith="c").update(parent=home)
    race = Race(products)

    race.run(seed)

    assert race.wrong == []
    assert {row["stock"] for row in reading.products({}, Piece(20)).results} == {ROUNDS}
