"""docs/graphql.md: each document is sent, and answered as the page says; its tables are those of the code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from shop.accounts.models import User
from shop.catalogue.models import Category, Product
from shop.graphql import conf
from shop.graphql.conf import Settings
from shop.graphql.errors import CODES, INTERNAL, INVALID, SYNTAX
from shop.graphql.schema import schema
from tests.shop.graphql.asking import send

PAGE = (Path(__file__).resolve().parents[3] / "docs/graphql.md").read_text("utf-8")
BOX = re.compile(r"^```graphql ?(?P<who>\w*)\n(?P<document>.*?)^```\n\n```json\n(?P<answer>.*?)^```$", re.M | re.S)
BOXES = [(box["who"], box["document"], box["answer"]) for box in BOX.finditer(PAGE)]
REASON = re.compile(r"Since (\d{4}-\d\d-\d\d): .+ It goes on (\d{4}-\d\d-\d\d) or later\.")


@pytest.fixture
def shop(ada: User, add_product: Callable[..., Product]) -> None:
    home = Category.objects.create(name="Home", slug="home")
    Category.objects.create(name="Lighting", slug="lighting", parent=home)
    name = "Classic Linen Sconce"
    add_product("LIG-00002", "lighting", name=name, slug="classic-linen-sconce", price=Decimal("128.49"))


# `Any`: JSON.
def is_as_promised(said: Any, promised: Any) -> bool:
    """`...` stands for any text."""
    if isinstance(promised, dict):
        return said.keys() == promised.keys() and all(is_as_promised(said[key], promised[key]) for key in promised)
    if isinstance(promised, list):
        return len(said) == len(promised) and all(map(is_as_promised, said, promised))
    return said == promised or (promised == "..." and isinstance(said, str) and said != "")


def test_the_page_has_its_boxes() -> None:
    assert len(BOXES) == PAGE.count("```graphql") >= 7


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", range(len(BOXES)))
def test_each_document_is_answered_as_the_page_says(number: int, shop: None, signed_in: Client) -> None:
    who, document, answer = BOXES[number]
    clients = {"": Client(), "customer": signed_in, "expired": Client(headers={"Authorization": "Bearer over"})}

    said = send(document, clients[who]).json()

    assert is_as_promised(said, json.loads(answer)), json.dumps(said, indent=2)


def test_the_settings_are_those_of_the_code() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", PAGE.partition("settings.SHOP_GRAPHQL")[2], re.M))
    holds = {field.name.upper(): getattr(Settings(), field.name) for field in fields(Settings)}

    assert rows == {key: "none" if value is conf.nobody else f"`{value}`" for key, value in holds.items()}


def test_each_code_is_on_the_page() -> None:
    known = {*CODES.values(), INTERNAL, INVALID, SYNTAX, "LIMIT_EXCEEDED", "ONE_AT_A_TIME", "RATE_LIMITED"}

    assert known <= set(re.findall(r"`([A-Z_]+)`", PAGE))


def test_each_deprecation_says_since_when_and_until_when_and_is_on_the_page() -> None:
    """Twelve months lie between."""
    types = schema._schema.type_map.values()
    reasons = {
        f"{type_.name}.{name}": field.deprecation_reason
        for type_ in types
        if not type_.name.startswith("__")
        for name, field in getattr(type_, "fields", {}).items()
        if field.deprecation_reason
    }

    assert reasons
    for name, reason in reasons.items():
        told = REASON.fullmatch(reason)
        assert told, reason
        since, until = map(date.fromisoformat, told.groups())
        assert (until - since).days >= 365
        assert f"`{name}`" in PAGE
