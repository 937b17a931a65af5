from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.text import slugify

from shop.accounts.models import User
from shop.catalogue.assortment import MAX_ARTICLES, articles
from shop.catalogue.models import Category, Product
from shop.orders.models import Coupon
from tests.shop.buying import client_of

pytestmark = pytest.mark.django_db


def rows() -> list[Any]:
    return [list(model.objects.order_by("pk").values_list()) for model in (Category, Product, Coupon, User)]


def test_the_shop_is_filled_with_products_that_differ() -> None:
    call_command("seed_shop", "--products", "100")

    products = Product.objects.all()
    assert len(products) == 100
    assert len({product.name for product in products}) == 100
    assert len({product.price for product in products}) > 50
    assert len({product.stock for product in products}) > 30
    assert 0 < sum(product.stock == 0 for product in products) < 20
    assert all(product.category.parent for product in products)
    for product in products:
        product.full_clean()


def test_a_second_run_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("seed_shop", "--products", "30", "--customer-password", "a demo password")
    Product.objects.filter(sku="TAB-00001").update(stock=7, price=1)
    Coupon.objects.filter(code="WELCOME10").update(uses=3, active=False)
    before = rows()

    call_command("seed_shop", "--products", "30", "--customer-password", "another password")

    assert rows() == before
    assert "Added 0 products, 0 coupons and 0 customers." in capsys.readouterr().out


def test_a_larger_number_adds_to_what_is_there() -> None:
    call_command("seed_shop", "--products", "10")
    first = list(Product.objects.values("sku", "name", "price", "stock"))

    call_command("seed_shop", "--products", "25")

    assert Product.objects.count() == 25
    assert all(product in Product.objects.values("sku", "name", "price", "stock") for product in first)


def test_customers_are_made_only_with_a_password() -> None:
    call_command("seed_shop", "--products", "0")
    assert not User.objects.exists()

    call_command("seed_shop", "--products", "0", "--customer-password", "a demo password")

    assert sorted(User.objects.values_list("username", flat=True)) == ["ada", "ben", "chloe"]
    assert all(user.check_password("a demo password") and not user.is_staff for user in User.objects.all())


def test_of_the_coupons_two_hold_and_two_are_refused_as_any_made_up_code() -> None:
    """Ten percent for whoever is new, five euros from forty on; one that ran out, one that all its customers used."""
    call_command("seed_shop", "--products", "1")
    Product.objects.update(price=Decimal("65.00"), stock=1)
    for coupon in Coupon.objects.all():
        coupon.full_clean()

    told = {code: discount_with(code) for code in ("WELCOME10", "THANKS5", "SUMMER25", "FIRST50", "MADE-UP")}

    refused = "coupon-refused"
    assert told == {"WELCOME10": "6.50", "THANKS5": "5.00", "SUMMER25": refused, "FIRST50": refused, "MADE-UP": refused}


def discount_with(code: str) -> str:
    """Returns what a new customer saves on one of the only product; of a code that is refused, the problem's type."""
    client = client_of(User.objects.create_user(code, f"{code}@example.com"))
    for path, body in (("items", {"sku": Product.objects.get().sku, "quantity": 1}), ("coupon", {"code": code})):
        answer = client.post(f"/api/v1/cart/{path}/", body, content_type="application/json").json()
    return str(answer["discount"] if "discount" in answer else answer["type"].rpartition(":")[2])


@pytest.mark.parametrize("number", ["-1", "many", "1.5", "", str(MAX_ARTICLES + 1)])
def test_a_number_that_makes_no_sense_is_refused(number: str) -> None:
    with pytest.raises(CommandError, match="--products"):
        call_command("seed_shop", f"--products={number}")

    assert not Category.objects.exists()


def test_an_empty_password_is_refused() -> None:
    with pytest.raises(CommandError, match="must not be empty"):
        call_command("seed_shop", "--customer-password", " ")


def test_no_two_articles_share_a_name_or_a_sku() -> None:
    everything = list(articles(5000))

    assert len({article.name for article in everything}) == len({article.sku for article in everything}) == 5000


def test_a_hundred_thousand_products_differ_and_are_the_same_each_time() -> None:
    many = list(articles(100_000))

    assert len({article.sku for article in many}) == len({slugify(article.name) for article in many}) == 100_000
    assert many[-1].sku.endswith("-100000")
    assert many[-10:] == list(articles(100_000))[-10:]
