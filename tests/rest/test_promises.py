"""What clients of /api/v1/ build on stays, and a change that would break them is named."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import yaml

from tests.rest.promises import DOCUMENT, RELEASED, broken, promises

ME, PRODUCTS, CHECKOUT = "/api/v1/me/", "/api/v1/products/", "/api/v1/checkout/"
CART, ITEMS = "/api/v1/cart/", "/api/v1/cart/items/"


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return yaml.safe_load(DOCUMENT.read_text("utf-8"))


def test_nothing_that_was_released_is_broken(made):
    """docs/api-versioning.md says what to do where this is wanted."""
    assert broken(RELEASED.read_text("utf-8").splitlines(), promises(made)) == []


def schema(made: dict[str, Any], name: str) -> dict[str, Any]:
    return made["components"]["schemas"][name]


# What is done to the document, and what is said of it.
BREAKS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "path": (lambda made: made["paths"].pop(ME), f"no more: GET {ME} exists"),
    "method": (lambda made: made["paths"][CART].pop("delete"), f"no more: DELETE {CART} exists"),
    "status": (
        lambda made: made["paths"][ITEMS]["post"]["responses"].update(
            {"200": made["paths"][ITEMS]["post"]["responses"].pop("201")}
        ),
        f"no more: POST {ITEMS} answers 201",
    ),
    "answer's field": (
        lambda made: schema(made, "Profile")["properties"].pop("email"),
        f"no more: GET {ME} gives .email: string",
    ),
    "answer's type": (
        lambda made: schema(made, "Profile")["properties"]["id"].update(type="string"),
        f"no more: GET {ME} gives .id: integer",
    ),
    "answer's field may be missing": (
        lambda made: schema(made, "Profile")["required"].remove("email"),
        f"no more: GET {ME} gives .email always",
    ),
    "answer's field may be null": (
        lambda made: schema(made, "Profile")["properties"]["id"].update(nullable=True),
        f"no more: GET {ME} gives .id, never null",
    ),
    "field that must be sent": (
        lambda made: (
            schema(made, "Item")["properties"].update(colour={"type": "string"})
            or schema(made, "Item")["required"].append("colour")
        ),
        f"new: POST {ITEMS} needs .colour",
    ),
    "field no longer taken": (
        lambda made: schema(made, "Item")["properties"].pop("quantity"),
        f"no more: POST {ITEMS} takes .quantity: integer",
    ),
    "narrower bound": (
        lambda made: schema(made, "Item")["properties"]["quantity"].update(maximum=99),
        f"new: POST {ITEMS} needs .quantity at most 99",
    ),
    "parameter": (
        lambda made: made["paths"][PRODUCTS]["get"].update(parameters=[]),
        f"no more: GET {PRODUCTS} takes page (query): integer",
    ),
    "parameter's choice": (
        lambda made: next(each for each in made["paths"][PRODUCTS]["get"]["parameters"] if each["name"] == "active")[
            "schema"
        ].update(enum=["true"]),
        f"no more: GET {PRODUCTS} takes active (query) = false",
    ),
    "parameter that must be sent": (
        lambda made: made["paths"][PRODUCTS]["get"]["parameters"].append(
            {"in": "query", "name": "shop", "required": True, "schema": {"type": "string"}}
        ),
        f"new: GET {PRODUCTS} needs shop (query)",
    ),
    "token": (
        lambda made: made["paths"][PRODUCTS]["get"].update(security=[{"jwtAuth": []}]),
        f"new: GET {PRODUCTS} needs a token",
    ),
    "problem's name": (
        lambda made: made["paths"][CHECKOUT]["post"]["responses"].pop("402"),
        f"no more: POST {CHECKOUT} refuses by 402 urn:problem-type:shop:payment-declined",
    ),
}


@pytest.mark.parametrize("change", BREAKS)
def test_a_break_is_named(made, change):
    change_it, said = BREAKS[change]
    changed = deepcopy(made)

    change_it(changed)

    assert said in broken(promises(made), promises(changed))


def new_operation(made: dict[str, Any]) -> None:
    made["paths"]["/api/v1/new/"] = deepcopy(made["paths"][ITEMS])


def wider(made: dict[str, Any]) -> None:
    schema(made, "Item")["properties"]["quantity"].update(maximum=1000, minimum=0)
    schema(made, "Item")["required"].remove("quantity")
    schema(made, "Item")["properties"]["note"] = {"type": "string", "maxLength": 10}
    schema(made, "Profile")["properties"]["nickname"] = {"type": "string"}
    made["paths"][ME]["get"]["deprecated"] = True


@pytest.mark.parametrize("change_it", [new_operation, wider])
def test_what_only_adds_breaks_nothing(made, change_it):
    changed = deepcopy(made)

    change_it(changed)

    assert broken(promises(made), promises(changed)) == []
