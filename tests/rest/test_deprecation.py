"""What is deprecated says so in its answers and in the document, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import http_sf
import pytest
from pages.openapi import document

from tests.rest.urls import OLD

JSON = "application/json"


@pytest.fixture(autouse=True)
def _urls(settings):
    settings.ROOT_URLCONF = "tests.rest.urls"


@pytest.mark.parametrize("path", ["/api/old/", "/api/old-async/", "/api/old/?gone"])
def test_a_deprecated_operation_says_since_when_until_when_and_where_to_read(client, path):
    answer = client.get(path)

    since, _ = http_sf.parse(answer["Deprecation"].encode(), tltype="item")
    assert since.date() == date(2026, 3, 1)
    assert answer["Sunset"] == "Mon, 01 Mar 2027 00:00:00 GMT"
    assert answer["Link"] == '<https://example.com/old/>; rel="deprecation"; type="text/html"'


def test_head_is_told_what_get_is(client):
    assert "Deprecation" in client.head("/api/old/")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/old/", "{}"),
        ("GET", "/api/new/?cursor=", ""),
        ("POST", "/api/new/", '{"sku": "a"}'),
        ("POST", "/api/new/", "[]"),
        ("POST", "/api/new/", "{"),
    ],
)
def test_what_is_not_deprecated_says_nothing(client, method, path, body):
    answer = client.generic(method, path, body, JSON)

    assert not {"Deprecation", "Sunset", "Link"} & set(answer.headers)


@pytest.mark.parametrize(
    ("method", "path", "body", "seconds"),
    [("GET", "/api/new/?page=1", "", 1777593600), ("POST", "/api/new/", '{"article": "a"}', 1775001600)],
)
def test_a_deprecated_parameter_or_field_is_told_of_where_it_is_sent(client, method, path, body, seconds):
    answer = client.generic(method, path, body, JSON)

    assert answer.status_code == 200
    assert answer["Deprecation"] == f"@{seconds}"
    assert "Sunset" not in answer


def test_the_document_marks_each_of_them_and_says_what_to_use():
    made = document()

    old, new, writes = (made["paths"][path] for path in ("/api/old/", "/api/new/", "/api/new/"))
    (page,) = (each for each in new["get"]["parameters"] if each["name"] == "page")
    marked = {"old": old["get"], "page": page, "article": properties(made)["article"]}
    assert {name: part["deprecated"] for name, part in marked.items()} == dict.fromkeys(marked, True)
    assert old["get"]["description"].startswith(
        "As it was.\n\nDeprecated since 2026-03-01, ends on 2027-03-01: use `GET /api/new/`."
    )
    assert {"Deprecation", "Sunset", "Link"} <= set(old["get"]["responses"]["200"]["headers"])
    unmarked = [old["post"], new["get"], writes["post"], properties(made)["sku"]]
    assert not any("deprecated" in part for part in unmarked)


def properties(made: dict[str, Any]) -> dict[str, Any]:
    return made["components"]["schemas"]["Thing"]["properties"]


def test_nothing_ends_within_a_year_of_being_deprecated():
    with pytest.raises(ValueError, match="365 days"):
        replace(OLD, sunset=date(2027, 2, 28))
