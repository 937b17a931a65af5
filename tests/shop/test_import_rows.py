"""Rows become products: by the rules of the API, once, and only where they differ."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from shop.catalogue import generations
from shop.catalogue.models import Category, Product
from shop.catalogue.serializers import StaffProductSerializer
from shop.imports import taking, writing
from shop.imports.reading import Table, Unreadable
from shop.imports.taking import Seen
from shop.imports.writing import Outcome

pytestmark = pytest.mark.django_db

HEAD = "sku,name,category,price,currency,stock,active,description,slug\n"
AddProduct = Callable[..., Product]


@pytest.fixture(autouse=True)
def _categories(db: None) -> None:
    home = Category.objects.create(name="Home", slug="home")
    Category.objects.create(name="Tables", slug="tables", parent=home)


def take(text: str | bytes, *, dry_run: bool = False) -> Outcome:
    total, seen = Outcome(), Seen()
    data = text.encode() if isinstance(text, str) else text
    for batch in taking.batches(Table([data]), seen):
        total.add(taking.take(batch, seen, dry_run=dry_run))
    return total


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    return outcome.created, outcome.updated, outcome.unchanged, taking.failed_rows(outcome)


def told(outcome: Outcome) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.column, fault.value) for fault in outcome.faults]


def products() -> list[tuple[Any, ...]]:
    fields = ("sku", "name", "category__slug", "price", "currency", "stock", "active", "description", "slug")
    return list(Product.objects.order_by("sku").values_list(*fields))


def test_a_row_is_a_product() -> None:
    outcome = take(HEAD + "A-1,Oak Desk,home/tables,389.90,USD,12,false,Of oak.,desk\nB-1,Pine,tables,5,,,,,\n")

    assert counts(outcome) == (2, 0, 0, 0)
    assert products() == [
        ("A-1", "Oak Desk", "tables", Decimal("389.90"), "USD", 12, False, "Of oak.", "desk"),
        ("B-1", "Pine", "tables", Decimal("5.00"), "EUR", 0, True, "", "pine"),
    ]


def test_the_same_file_again_changes_nothing_and_tells_no_cache() -> None:
    text = HEAD + "A-1,Oak Desk,tables,389.9,EUR,12,yes,Of oak.,\nB-1,Oak Desk,tables,1.00,,,,,\n"
    take(text)
    before = list(Product.objects.order_by("pk").values_list())

    outcome = take(text)

    assert counts(outcome) == (0, 0, 2, 0)
    assert list(Product.objects.order_by("pk").values_list()) == before


def test_only_the_columns_of_the_file_are_written(add_product: AddProduct) -> None:
    lamp = add_product("LAMP", description="Bright.", stock=3)
    rug = add_product("RUG", stock=4)

    outcome = take("sku,stock\nLAMP,9\nRUG,4\n")

    assert counts(outcome) == (0, 1, 1, 0)
    lamp.refresh_from_db()
    rug.refresh_from_db()
    assert (lamp.stock, lamp.description, lamp.name, lamp.price) == (9, "Bright.", "Lamp LAMP", Decimal("19.90"))
    assert rug.stock == 4


def test_a_product_keeps_its_key_and_its_address() -> None:
    take(HEAD + "A-1,Oak Desk,tables,1,,,,,\n")
    before = Product.objects.get()

    take("sku,name\nA-1,Walnut Desk\n")

    after = Product.objects.get()
    assert (after.pk, after.slug, after.name) == (before.pk, "oak-desk", "Walnut Desk")


def test_an_empty_cell_says_nothing_and_an_empty_description_empties_it(add_product: AddProduct) -> None:
    add_product("LAMP", currency="USD", stock=3, active=False, description="Bright.")

    take("sku,currency,stock,active,slug,description\nLAMP,,,,,\n")

    lamp = Product.objects.get()
    assert (lamp.currency, lamp.stock, lamp.active, lamp.slug, lamp.description) == ("USD", 3, False, "lamp", "")


@pytest.mark.parametrize(
    ("column", "cell", "right"),
    [
        ("price", '"19,90"', "as in 19.90"),
        ("price", "-1", "as in 19.90"),
        ("price", "1.999", "as in 19.90"),
        ("price", "NaN", "as in 19.90"),
        ("price", "", "as in 19.90"),
        ("currency", "euro", "as in EUR"),
        ("currency", "eur", "as in EUR"),
        ("stock", "-1", "as in 12"),
        ("stock", "many", "as in 12"),
        ("stock", "2147483648", "as in 12"),
        ("active", "perhaps", "true or false"),
        ("name", " ", "1 to 200"),
        ("name", "x" * 201, "1 to 200"),
        ("name", "a\x00b", "1 to 200"),
        ("sku", "x" * 41, "1 to 40"),
        ("description", "x" * 10_001, "10,000"),
        ("category", "chairs", "as in home/tables"),
        ("category", "tables/home", "as in home/tables"),
        ("category", "shop/tables", "as in home/tables"),
        ("category", "", "as in home/tables"),
        ("slug", "two words", "as in oak-desk"),
        ("slug", "search", "as in oak-desk"),
    ],
    ids=lambda value: value if len(value) < 30 and value.isprintable() and value.strip() else f"{len(value)}-letters",
)
def test_a_bad_cell_is_told_with_its_line_and_column_and_the_good_row_is_taken(
    column: str, cell: str, right: str
) -> None:
    good = {"sku": "A-1", "name": "Desk", "category": "tables", "price": "1", "currency": "EUR", "stock": "1"}
    good |= {"active": "true", "description": "", "slug": ""}
    bad = ",".join((good | {column: cell}).values())

    outcome = take(HEAD + bad + "\nB-1,Rug,tables,1,,,,,\n")

    assert [(fault.line, fault.column) for fault in outcome.faults] == [(2, column)]
    assert right in outcome.faults[0].message
    assert [row[0] for row in products()] == ["B-1"]


RULES = [
    ("price", "1e2"), ("price", "19.999"), ("price", "12345678.90"), ("price", "123456789.0"), ("price", "0"),
    ("currency", "EURO"), ("currency", "Eur"), ("stock", "1.0"), ("stock", "1.5"), ("stock", "007"),
    ("active", "on"), ("active", "2"), ("name", "  a "), ("sku", "a/b c"), ("description", " x "),
]  # fmt: skip


@pytest.mark.parametrize(("column", "cell"), RULES, ids=[f"{column}={cell}" for column, cell in RULES])
def test_a_cell_is_taken_as_the_api_takes_it(column: str, cell: str) -> None:
    """The rules are not written twice: what the one takes, the other takes as the same value."""
    values = {"sku": "A-1", "name": "Desk", "category": "tables", "price": "1", column: cell}
    api = StaffProductSerializer(data=values)
    is_valid = api.is_valid()

    outcome = take(f"{','.join(values)}\n{','.join(values.values())}\n")

    assert outcome.created == is_valid
    if is_valid:
        assert getattr(Product.objects.get(), column) == api.validated_data[column]
    else:
        assert [fault.column for fault in outcome.faults] == list(api.errors)


def test_bytes_that_are_no_utf_8_are_told_in_their_cell() -> None:
    outcome = take(b"sku,name,category,price\nA-1,caf\xe9,tables,1\nB-1,caf\xc3\xa9,tables,1\n")

    assert told(outcome) == [(2, "name", "caf\\xe9")]
    assert outcome.faults[0].message == "This is not UTF-8. Save the file as UTF-8."
    assert [row[1] for row in products()] == ["café"]


def test_what_looks_like_a_formula_stays_what_it_is() -> None:
    take('sku,name,category,price\n=1,"=HYPERLINK(""http://x"")",tables,1\n')

    assert products()[0][:2] == ("=1", '=HYPERLINK("http://x")')


def test_all_faults_of_a_row_are_told_and_it_counts_once() -> None:
    outcome = take(HEAD + "A-1,,tables,x,EUR,-1,,,\n")

    assert counts(outcome) == (0, 0, 0, 1)
    assert [fault.column for fault in outcome.faults] == ["name", "price", "stock"]


def test_a_new_product_needs_more_than_a_stock() -> None:
    outcome = take("sku,stock\nA-1,9\n")

    assert told(outcome) == [(2, "sku", "A-1")]
    assert "needs name, category, price too" in outcome.faults[0].message


@pytest.mark.parametrize("apart", [0, taking.BATCH + 1], ids=["in-a-batch", "batches-apart"])
def test_the_first_of_two_rows_with_one_sku_stands(apart: int) -> None:
    between = "".join(f"C-{number},Rug,tables,1\n" for number in range(apart))

    outcome = take(f"sku,name,category,price\nA-1,First,tables,1\n{between}A-1,Second,tables,1\n")

    assert told(outcome) == [(apart + 3, "sku", "A-1")]
    assert outcome.faults[0].message.startswith("Line 2 has it already.")
    assert Product.objects.get(sku="A-1").name == "First"


def test_slugs_are_made_from_the_name_then_from_name_and_sku(add_product: AddProduct) -> None:
    add_product("OLD", slug="oak-desk")

    rows = [("A-1", "Oak Desk"), ("A-2", "Pine"), ("A-3", "Pine"), ("A-4", "机"), ("Ä", "机"), ("机", "机")]

    outcome = take("sku,name,category,price\n" + "".join(f"{sku},{name},tables,1\n" for sku, name in rows))

    slugs = dict(Product.objects.exclude(sku="OLD").values_list("sku", "slug"))
    assert slugs == {"A-1": "oak-desk-a-1", "A-2": "pine", "A-3": "pine-a-3", "A-4": "a-4", "Ä": "a"}
    assert told(outcome) == [(7, "slug", "")]


def test_a_slug_that_another_has_is_refused(add_product: AddProduct) -> None:
    add_product("OLD", slug="old")
    add_product("LAMP")

    outcome = take(
        "sku,name,category,price,slug\nLAMP,Lamp,tables,1,old\nA-1,New,tables,1,old\nA-2,x,tables,1,mine\nA-3,y,tables,1,mine\n"
    )

    assert told(outcome) == [(2, "slug", "old"), (3, "slug", "old"), (5, "slug", "mine")]


def test_a_dry_run_counts_and_writes_nothing(add_product: AddProduct) -> None:
    add_product("LAMP", stock=1)
    before = products()

    outcome = take(
        "sku,name,category,price,stock\nLAMP,Lamp,tables,1,9\nA-1,New,tables,1,1\nA-2,,tables,1,1\n", dry_run=True
    )

    assert counts(outcome) == (1, 1, 0, 1)
    assert products() == before


def test_a_product_that_somebody_adds_meanwhile_is_found_and_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the question who is there and the answer, another may write: the batch is done again, row by row."""
    insert, calls = writing._insert, []

    def late(new: list[Product]) -> None:
        calls.append(len(new))
        if len(calls) == 1:
            insert(new)
            raise IntegrityError
        insert(new)

    monkeypatch.setattr(writing, "_insert", late)

    outcome = take("sku,name,category,price\nA-1,a,tables,1\nA-2,b,tables,1\n")

    assert counts(outcome) == (2, 0, 0, 0)
    assert calls == [2, 1, 1]
    assert [row[0] for row in products()] == ["A-1", "A-2"]


def test_a_row_that_stands_against_another_does_not_hold_up_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    insert = writing._insert

    def refuse(new: list[Product]) -> None:
        if any(product.sku == "A-1" for product in new):
            raise IntegrityError
        insert(new)

    monkeypatch.setattr(writing, "_insert", refuse)

    outcome = take("sku,name,category,price\nA-1,a,tables,1\nA-2,b,tables,1\n")

    assert (counts(outcome), told(outcome)) == ((1, 0, 0, 1), [(2, "sku", "A-1")])


def test_a_batch_costs_the_same_few_queries_however_many_rows_it_has(add_product: AddProduct) -> None:
    add_product("LAMP")
    used = []
    for number in (2, 100):  # within what SQLite takes in one statement
        text = f"sku,name,category,price\nLAMP,Lamp,tables,{number}\n"
        text += "".join(f"N{number}-{n},New {number} {n},tables,1\n" for n in range(number))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            take(text)
        used.append(len(queries))

    assert used[0] == used[1] <= 8


@pytest.mark.django_db(transaction=True)
def test_what_was_kept_in_the_cache_is_renewed_with_each_batch_and_not_with_each_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    renewed: list[tuple[str, ...]] = []
    monkeypatch.setattr(generations, "renew", lambda *names: renewed.append(names))
    text = "sku,name,category,price\n" + "".join(f"A-{n},a {n},tables,1\n" for n in range(2 * taking.BATCH))

    take(text)
    assert renewed == [("products",)] * 2

    take(text)
    assert renewed == [("products",)] * 2


def test_a_sku_in_other_letters_is_another_product_or_an_error(add_product: AddProduct) -> None:
    """MariaDB takes `lamp` and `LAMP` for one: it is not written over by accident."""
    add_product("LAMP", slug="first")

    outcome = take("sku,name,category,price\nlamp,Other,tables,1\nRUG,Rug,tables,1\n")

    assert Product.objects.get(slug="first").name == "Lamp LAMP"
    assert Product.objects.filter(sku="RUG").exists()
    same = connection.vendor == "mysql"
    assert told(outcome) == ([(2, "sku", "lamp")] if same else [])


def test_a_file_of_too_many_rows_is_to_be_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "MOST_ROWS", taking.BATCH)
    text = "sku,name,category,price\n" + "".join(f"A-{n},a {n},tables,1\n" for n in range(taking.BATCH + 1))

    with pytest.raises(Unreadable, match=f"Line {taking.BATCH + 2}: the file has more than 500 rows"):
        take(text)

    assert Product.objects.count() == taking.BATCH
