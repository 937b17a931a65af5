"""What is kept in the cache, and that nobody is shown what was there before a write."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.conf import settings as project
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from metrics import breaker
from shop.accounts.models import User
from shop.catalogue import cached, generations, reading
from shop.catalogue.cached import remembered
from shop.catalogue.models import Category, Product
from shop.catalogue.paging import Piece
from tests.e2e.processes import wait_until
from tests.shop.kept import PATIENT

pytestmark = pytest.mark.django_db(transaction=True)

AddProduct = Callable[..., Product]
Asserts = DjangoAssertNumQueries
API = "/api/v1/"
KEPT = [
    "products/",
    "products/?cursor=",
    "products/?category=lamps",
    "products/lamp/",
    "categories/",
    "categories/lamps/",
]


@pytest.fixture(autouse=True)
def kept(settings: Settings) -> None:
    settings.CACHES = PATIENT


@pytest.fixture
def lamp(add_product: AddProduct) -> Product:
    """In `lamps`, below `home`; beside it `desks`, with a desk in it."""
    lamp = add_product("LAMP", name="Lamp")
    add_product("DESK", category="desks")
    lamp.category.parent = Category.objects.create(name="Home", slug="home")
    lamp.category.save()
    return lamp


def shown(path: str) -> Any:
    response = Client().get(API + path)
    return response.json() if response.status_code == 200 else response.status_code


@pytest.mark.parametrize("path", KEPT)
def test_what_was_shown_once_is_shown_again_without_a_query(
    lamp: Product, path: str, django_assert_num_queries: Asserts
) -> None:
    first = shown(path)

    with django_assert_num_queries(0):
        assert shown(path) == first


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("?min_price=5", "?min_price=5.00"),
        ("?in_stock=true&currency=EUR", "?currency=EUR&in_stock=true"),
        ("", "?ordering=name&page=1&page_size=20&search=&unknown=1"),
    ],
)
def test_what_means_the_same_is_kept_once(
    lamp: Product, one: str, other: str, django_assert_num_queries: Asserts
) -> None:
    first = shown("products/" + one)

    with django_assert_num_queries(0):
        assert shown("products/" + other)["results"] == first["results"]


def test_a_host_that_somebody_made_up_is_shown_to_nobody_else(lamp: Product, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    Client(headers={"Host": "evil.example"}).get(f"{API}products/?page_size=1")

    assert shown("products/?page_size=1")["next"].startswith("http://testserver/")


def test_texts_and_what_staff_sees_are_not_kept(lamp: Product) -> None:
    shown("products/?search=lamp")
    reading.products_for_staff({}, Piece(20))

    assert not [key for key in keys() if "catalogue-" in key and "generation" not in key]


def keys() -> list[str]:
    return [key.decode() for key in cache._cache.get_client().keys("*")]  # type: ignore[attr-defined]


def admin_saves(lamp: Product) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    fields = {"category": lamp.category_id, "name": "New", "slug": "lamp", "sku": "LAMP", "price": 1, "currency": "EUR"}
    response = client.post(f"/admin/catalogue/product/{lamp.pk}/change/", {**fields, "stock": 1, "active": "on"})
    assert response.status_code == 302, response.content


def admin_deletes(lamp: Product) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    data = {"action": "delete_selected", "_selected_action": [lamp.pk], "post": "yes"}
    assert client.post("/admin/catalogue/product/", data).status_code == 302


def another_process_updates(lamp: Product) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("The tests' database is this process' own.")
    url = os.environ["DATABASE_URL"].replace("/postgres?", f"/{connection.settings_dict['NAME']}?")
    code = (
        "import django; django.setup(); from shop.catalogue.models import Product; Product.objects.update(name='New')"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "DATABASE_URL": url}, check=True, timeout=60)


def save(lamp: Product) -> None:
    lamp.name = "New"
    lamp.save()


def bulk_update(lamp: Product) -> None:
    lamp.stock = 1
    Product.objects.bulk_update([lamp], ["stock"])


def move(lamp: Product) -> None:
    lamp.category = Category.objects.get(slug="desks")
    lamp.save(update_fields=["category"])


OF_PRODUCTS: dict[str, Callable[[Product], object]] = {
    "save": save,
    "save update_fields": move,
    "update": lambda lamp: Product.objects.filter(pk=lamp.pk).update(price=Decimal(1)),
    "update of a related manager": lambda lamp: lamp.category.products.update(price=Decimal(1)),
    "bulk_update": bulk_update,
    "delete": lambda lamp: lamp.delete(),
    "QuerySet.delete": lambda lamp: Product.objects.filter(pk=lamp.pk).delete(),
    "take": lambda lamp: Product.objects.take(lamp.pk, 1),
    "give_back": lambda lamp: Product.objects.give_back(lamp.pk, 1),
    "the admin's form": admin_saves,
    "the admin's list": admin_deletes,
    "another process": another_process_updates,
}


@pytest.mark.parametrize("way", OF_PRODUCTS)
def test_a_product_is_shown_as_it_was_written_whatever_way(lamp: Product, way: str) -> None:
    paths = ["products/", "products/?category=home", "products/?category=lamps", "products/lamp/"]
    before = {path: shown(path) for path in paths}

    OF_PRODUCTS[way](lamp)
    after = {path: shown(path) for path in paths}

    cache.clear()
    assert after == {path: shown(path) for path in paths}
    assert after["products/"] != before["products/"]
    assert all(after[path] != before[path] for path in paths) or way == "save update_fields"


@pytest.mark.parametrize("way", ["create", "bulk_create"])
def test_a_new_product_is_shown_at_once(lamp: Product, way: str) -> None:
    assert shown("products/new/") == 404
    assert shown("products/")["count"] == 2
    new = Product(category=lamp.category, name="New", slug="new", sku="NEW", price=1)

    new.save() if way == "create" else Product.objects.bulk_create([new])

    assert shown("products/new/")["sku"] == "NEW"
    assert shown("products/")["count"] == 3


OF_CATEGORIES: dict[str, Callable[[Category], object]] = {
    "save": lambda lamps: Category(pk=lamps.pk, name="New", slug="new", parent=None).save(),
    "update": lambda lamps: Category.objects.filter(pk=lamps.pk).update(slug="new", parent=None),
    "create": lambda lamps: Category.objects.create(name="New", slug="new", parent=lamps),
    "bulk_create": lambda lamps: Category.objects.bulk_create([Category(name="New", slug="new", parent=lamps)]),
}


@pytest.mark.parametrize("way", OF_CATEGORIES)
def test_the_tree_is_shown_as_it_was_written_whatever_way(lamp: Product, way: str) -> None:
    paths = ["categories/", "categories/lamps/", "products/", "products/?category=home", "products/lamp/"]
    before = [shown(path) for path in paths]

    OF_CATEGORIES[way](lamp.category)
    after = [shown(path) for path in paths]

    cache.clear()
    assert after == [shown(path) for path in paths]
    assert after[0] != before[0]


def test_a_sale_renews_what_shows_it_and_nothing_else(lamp: Product, django_assert_num_queries: Asserts) -> None:
    others = ["products/desk/", "products/?category=desks", "categories/"]
    for path in others:
        shown(path)

    Product.objects.take(lamp.pk, 1)

    with django_assert_num_queries(0):
        for path in others:
            shown(path)


def test_a_basket_asks_once_what_to_renew(lamp: Product, django_assert_num_queries: Asserts) -> None:
    desk = Product.objects.get(sku="DESK")

    # BEGIN, two sales, COMMIT; then all products of the basket, and the tree.
    with django_assert_num_queries(6), transaction.atomic():
        Product.objects.take(lamp.pk, 1)
        Product.objects.take(desk.pk, 1)


def test_what_was_rolled_back_was_never_there(lamp: Product, django_assert_num_queries: Asserts) -> None:
    before = shown("products/lamp/")

    with transaction.atomic():
        Product.objects.take(lamp.pk, 1)
        Product.objects.update(name="Never")
        assert reading.product("lamp")["name"] == "Never", "a transaction sees what it wrote"
        transaction.set_rollback(True)

    with django_assert_num_queries(0):
        assert shown("products/lamp/") == before


@pytest.mark.parametrize(
    "write",
    [
        lambda lamp: Product.objects.take(lamp.pk, 1),
        lambda lamp: Product.objects.filter(pk=lamp.pk).update(name="New"),
        lambda lamp: Category.objects.filter(slug="lamps").update(slug="new"),
    ],
    ids=["take", "update", "category"],
)
def test_who_reads_before_the_commit_keeps_nothing_that_is_old_after_it(
    lamp: Product, write: Callable[[Product], object]
) -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("SQLite in memory lets nobody read beside a writer.")
    seen: list[Any] = []

    def read() -> None:
        seen.append(shown("products/lamp/"))
        connection.close()

    with transaction.atomic():
        write(lamp)
        reader = Thread(target=read)
        reader.start()
        reader.join()

    assert (seen[0]["stock"], seen[0]["name"], seen[0]["category"]) == (10, "Lamp", "lamps")
    assert shown("products/lamp/") != seen[0]


def test_who_computed_from_old_rows_keeps_them_from_everybody(lamp: Product) -> None:
    """The writer commits between the reader's query and its storing."""

    def compute() -> str:
        found = Product.objects.get(pk=lamp.pk).name
        Product.objects.filter(pk=lamp.pk).update(name="New")
        return found

    def ask(compute: Callable[[], str]) -> str:
        return remembered(reading.DETAIL, "", (generations.PRODUCTS,), compute)

    assert ask(compute) == "Lamp"
    assert ask(lambda: Product.objects.get(pk=lamp.pk).name) == "New"


def test_an_evicted_generation_comes_back_as_one_that_never_was(lamp: Product) -> None:
    word = generations.state_of(["products"])
    shown("products/lamp/")
    Product.objects.all()._raw_delete("default")  # told to nobody
    cache.delete("catalogue-generation:products")

    assert shown("products/lamp/") == 404
    assert generations.state_of(["products"]) != word


def test_without_redis_everything_is_shown_as_it_is(lamp: Product, settings: Settings) -> None:
    settings.CACHES = {"default": {**PATIENT["default"], "LOCATION": "redis://127.0.0.1:1/0"}}

    for name in ("One", "Two"):
        Product.objects.filter(pk=lamp.pk).update(name=name)
        Product.objects.take(lamp.pk, 1)
        assert shown("products/lamp/")["name"] == name
        assert [shown(path) for path in KEPT].count(500) == 0


def test_a_renewal_that_was_lost_is_made_up_for_when_redis_is_back(lamp: Product) -> None:
    shown("products/lamp/")
    gate = breaker.of(project.CACHES["default"]["LOCATION"])
    gate.failed(gate.enter() or 0, ConnectionError())
    Product.objects.filter(pk=lamp.pk).update(name="New")
    Product.objects.take(lamp.pk, 1)

    breaker.forget()

    assert shown("products/lamp/") == {**shown("products/lamp/"), "name": "New", "stock": 9}


def writes_so_far() -> int:
    calls: int = cache._cache.get_client().info("commandstats")["cmdstat_set"]["calls"]  # type: ignore[attr-defined]
    return calls


def test_of_many_who_ask_at_once_one_computes(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached, "WAIT_S", 20.0)  # the machine may be busy
    generations.state_of((generations.TREE,))
    computed: list[int] = []
    answers: list[str] = []
    start = Barrier(12)
    before = writes_so_far()

    def compute() -> str:
        """Takes until all have asked to be the one."""
        computed.append(1)
        wait_until(lambda: writes_so_far() >= before + 12, "twelve who ask for the lock", deadline_s=10)
        return "answer"

    def ask() -> None:
        start.wait()
        answers.append(remembered(reading.LIST, "x", (generations.TREE,), compute))
        connection.close()

    threads = [Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == ["answer"] * 12
    assert computed == [1]


def test_nobody_waits_longer_than_a_moment_for_who_computes(db: None) -> None:
    key = f"{reading.LIST}:x:{generations.state_of((generations.TREE,))}"
    cache.add(f"catalogue-lock:{key}", 1, 60)  # and never comes back

    assert remembered(reading.LIST, "x", (generations.TREE,), lambda: "own") == "own"


def test_a_computation_that_fails_holds_nobody_up(db: None) -> None:
    with pytest.raises(ZeroDivisionError):
        remembered(reading.LIST, "x", (generations.TREE,), lambda: 1 // 0)

    assert not [key for key in keys() if "catalogue-lock" in key or "catalogue-list" in key]


def test_before_an_entry_ends_one_computes_it_anew_while_others_are_served(db: None) -> None:
    now = 1_000_000.0

    def ask(answer: str) -> str:
        return remembered(reading.LIST, "x", (generations.TREE,), lambda: answer, clock=lambda: now)

    assert (ask("first"), ask("second")) == ("first", "first")
    now += cached.LIFETIME_S * (1 - cached.JITTER) * cached.FRESH_PART - 1
    assert ask("third") == "first"
    now += cached.LIFETIME_S * 2 * cached.JITTER + 1

    def meanwhile() -> str:
        assert ask("another") == "first", "others are served"
        return "anew"

    assert remembered(reading.LIST, "x", (generations.TREE,), meanwhile, clock=lambda: now) == "anew"
    assert ask("fourth") == "anew"


def test_entries_made_together_do_not_end_together_and_none_outlives_the_bound(db: None) -> None:
    for number in range(20):
        remembered(reading.LIST, str(number), (generations.TREE,), lambda: "x")

    client = cache._cache.get_client()  # type: ignore[attr-defined]
    left_s = [client.pttl(key) / 1000 for key in keys() if "catalogue-list" in key]
    assert len(left_s) == 20
    assert max(left_s) <= 66
    assert min(left_s) > 50
    assert max(left_s) - min(left_s) > 2


def test_hits_are_told_apart_by_what_they_are_for(lamp: Product) -> None:
    for path in KEPT:
        shown(path)

    prefixes = set(project.METRICS["CACHE_PREFIXES"])
    assert {key.split(":")[2] for key in keys() if "catalogue" in key} <= prefixes
    assert {reading.LIST, reading.DETAIL, reading.CATEGORIES} <= prefixes
