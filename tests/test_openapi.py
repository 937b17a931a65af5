"""The OpenAPI document tells of each operation which limits count it."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


def document() -> dict[str, Any]:
    made = SchemaGenerator().get_schema(public=True)
    validate_schema(made)
    return made


def names(operation: dict[str, Any]) -> list[str]:
    return [policy["name"] for policy in operation.get("x-ratelimit-policies", [])]


@pytest.fixture
def api(settings):
    settings.ROOT_URLCONF = "tests.urls_consumers"


def row(rate: str, **values: Any) -> dict[str, Any]:
    return {"rates": [rate], "why": "for a test", **values}


def test_the_login_shows_its_policies_in_words_and_for_programs():
    login = document()["paths"]["/api/v1/auth/token/"]["post"]

    assert login["x-ratelimit-policies"] == [
        {"name": "site", "limit": 1200, "window": 64, "counts": "all", "cost": 1},
        {"name": "login", "limit": 10, "window": 60, "counts": "failures", "cost": 1},
        {"name": "login-hourly", "limit": 60, "window": 3825, "counts": "failures", "cost": 1},
    ]
    assert login["description"] == (
        "Limits: 1200 requests per 64 s (site), 10 failed requests per 60 s (login), "
        "60 failed requests per 3825 s (login-hourly)."
    )


def test_browsing_shows_what_holds_everything_and_its_kind():
    browse = document()["paths"]["/api/v1/products/{slug}/"]["get"]

    assert names(browse) == ["site", "catalogue"]


def test_an_operation_has_a_429_and_the_fields_on_what_succeeds():
    made = document()

    answers = made["paths"]["/api/v1/checkout/"]["post"]["responses"]
    fields = {name: {"$ref": f"#/components/headers/{name}"} for name in ("RateLimit-Policy", "RateLimit")}
    assert list(answers) == sorted(answers)
    assert answers["429"] == {"$ref": "#/components/responses/TooManyRequests"}
    assert fields.items() <= answers["201"]["headers"].items()
    assert fields.keys().isdisjoint(answers["402"].get("headers", {}))
    refusal = made["components"]["responses"]["TooManyRequests"]
    assert (
        set(refusal["headers"])
        == {"Retry-After", "RateLimit", "RateLimit-Policy"}
        == set(made["components"]["headers"])
    )
    assert refusal["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}


def test_an_operation_tells_of_a_block_and_of_its_rest_while_the_store_is_away(tracking):
    """What the door may answer in a view's place; a view's own words on the same status stand."""
    tracking(POLICIES={"payment": row("5/m", kinds=["payment"], store_away="closed")})

    paths = document()["paths"]

    buy, browse, ship = (
        paths[f"/api/v1/{path}/"][method]["responses"]
        for path, method in (("checkout", "post"), ("products", "get"), ("orders/{number}/ship", "post"))
    )
    assert buy["403"] == browse["403"] == {"$ref": "#/components/responses/NetworkBlocked"}
    assert buy["503"] == {"$ref": "#/components/responses/Resting"}
    assert "503" not in browse
    assert "$ref" not in ship["403"]


def test_asking_for_ones_limits_is_free_and_has_an_example():
    ask = document()["paths"]["/api/v1/limits/"]["get"]

    assert names(ask) == []
    assert list(ask["responses"]) == ["200", "403"]  # a blocked network's
    assert ask["responses"]["200"]["content"]["application/json"]["examples"]


def test_a_policy_of_the_settings_appears(tracking):
    tracking(POLICIES={"browsing": row("30/m", routes=["shop:product-list"], cost=3), "site": None, "catalogue": None})

    browse = document()["paths"]["/api/v1/products/"]["get"]

    assert browse["description"] == "Limits: 30 requests per 64 s (browsing, where this one counts as 3)."


def test_a_marked_view_shows_its_mark_after_its_own_description(api, tracking):
    tracking(POLICIES={"site": None, "writes": row("5/m"), "exports": row("6/m")}, KINDS={})

    paths = document()["paths"]

    assert names(paths["/api/plain/{slug}/"]["post"]) == ["writes"]
    assert paths["/api/plain/{slug}/"]["post"]["description"] == "Writes.\n\nLimits: 5 requests per 60 s (writes)."
    assert names(paths["/api/export/"]["post"]) == ["writes", "exports"]
    assert names(paths["/api/plain/{slug}/"]["get"]) == []
    assert "429" not in paths["/api/plain/{slug}/"]["get"]["responses"]


def test_what_is_counted_by_somebody_elses_or_only_tried_out_is_not_told(api, tracking):
    tracking(
        POLICIES={
            "stock": row("5/m", routes=["plain"], key="url:slug"),
            "trial": row("5/m", routes=["*"], mode="shadow"),
        },
        KINDS={"plain": "login"},
    )

    assert names(document()["paths"]["/api/plain/{slug}/"]["get"]) == ["site", "login", "login-hourly"]


def test_an_argument_that_the_document_renames_keeps_its_limits(settings):
    """drf-spectacular writes {id} where the URLconf says pk."""
    settings.ROOT_URLCONF = "tests.urls_renamed"

    paths = document()["paths"]

    assert names(paths["/api/users/{id}/"]["get"]) == ["site"]
