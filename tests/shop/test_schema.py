from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings

from shop.openapi import LINKS


def test_the_description_of_the_api_has_no_gaps(tmp_path: Path) -> None:
    target = tmp_path / "schema.yml"

    with patched_settings({"POSTPROCESSING_HOOKS": []}):  # the guard's, who tells its limits
        call_command(
            "spectacular", "--fail-on-warn", "--validate", "--urlconf", "tests.shop.urls", "--file", str(target)
        )

    paths = yaml.safe_load(target.read_text())["paths"]
    login, buy = (paths[f"/api/v1/{path}/"]["post"] for path in ("auth/token", "checkout"))
    assert set(login["responses"]) == {"200", "400", "401"}
    assert set(buy["responses"]) == {"201", "400", "401", "402", "409", "422", "504"}
    assert login["requestBody"]["content"]["application/json"]["examples"]
    assert buy["requestBody"]["content"]["application/json"]["examples"]
    assert buy["responses"]["201"]["content"]["application/json"]["examples"]
    assert buy["responses"]["402"]["content"]["application/problem+json"]["examples"]


ACCOUNTS = {
    "POST /auth/registration/": {"202", "400", "503"},
    "POST /auth/registration/confirm/": {"201", "400", "409"},
    "POST /auth/token/": {"200", "400", "401"},
    "POST /auth/token/refresh/": {"200", "400", "401"},
    "POST /auth/logout/": {"204", "400", "401"},
    "POST /auth/password-reset/": {"202", "400", "503"},
    "POST /auth/password-reset/confirm/": {"204", "400"},
    "POST /auth/email/confirm/": {"204", "400", "409"},
    "GET /me/": {"200", "401"},
    "PATCH /me/": {"200", "400", "401"},
    "POST /me/password/": {"200", "400", "401", "409"},
    "POST /me/close/": {"204", "400", "401", "409"},
    "POST /me/email/": {"202", "400", "401", "503"},
    "GET /users/": {"200", "400", "401", "403", "404"},
    "POST /users/": {"201", "400", "401", "403"},
    "GET /users/{id}/": {"200", "401", "403", "404"},
    "PATCH /users/{id}/": {"200", "400", "401", "403", "404", "409"},
    "DELETE /users/{id}/": {"204", "401", "403", "404", "409"},
}


def test_each_operation_on_accounts_has_its_answers_and_an_example() -> None:
    with patched_settings({"POSTPROCESSING_HOOKS": []}):
        paths = SchemaGenerator(urlconf="tests.shop.urls").get_schema(public=True)["paths"]

    described = {
        f"{method.upper()} {path.removeprefix('/api/v1')}": operation
        for path, operations in paths.items()
        for method, operation in operations.items()
        if path.startswith(("/api/v1/auth/", "/api/v1/me/", "/api/v1/users/"))
    }
    assert {name: set(operation["responses"]) for name, operation in described.items()} == ACCOUNTS
    assert all(operation["summary"] and "'examples'" in str(operation) for operation in described.values())


@pytest.mark.django_db
def test_the_migrations_know_the_models() -> None:
    call_command("makemigrations", "--check", "--dry-run", "accounts", "catalogue", "failures", "imports", "orders")


def test_each_link_leads_to_an_operation_with_parameters_that_it_has() -> None:
    """What an answer leads to is there, and takes what the answer gives."""
    with patched_settings({"POSTPROCESSING_HOOKS": ["shop.openapi.connect"]}):
        document = SchemaGenerator(urlconf="tests.shop.urls").get_schema(public=True)

    operations = {each["operationId"]: each for methods in document["paths"].values() for each in methods.values()}
    links = [
        link
        for operation in operations.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    taken = {name: {each["name"] for each in one.get("parameters", [])} for name, one in operations.items()}
    assert len(links) == sum(len(each) for each in LINKS.values())
    assert all(set(link.get("parameters", {})) <= taken[link["operationId"]] for link in links)


def test_the_filters_of_products_may_be_left_empty() -> None:
    """As a search form sends them."""
    with patched_settings({"POSTPROCESSING_HOOKS": ["shop.openapi.connect"]}):
        paths = SchemaGenerator(urlconf="tests.shop.urls").get_schema(public=True)["paths"]

    parameters = paths["/api/v1/products/"]["get"]["parameters"]
    assert {each["name"] for each in parameters if not each.get("allowEmptyValue")} == {"If-None-Match"}
