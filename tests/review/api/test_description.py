"""The OpenAPI document of the review desk's API, and that its examples are true."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from ip_tracking.review.order import Action
from ip_tracking.security_api import examples
from ip_tracking.security_api.urls import urlpatterns
from tests.review.api.conftest import CASES, act, case, post
from tests.traffic import event, stored

UNDER = "/api/v1/security/"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return made


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        if path.startswith(UNDER)
        for method, operation in methods.items()
    }


def test_every_address_is_described_with_its_problems_and_its_limit(operations: dict[str, dict[str, Any]]) -> None:
    assert len(operations) == len(urlpatterns)
    for name, operation in operations.items():
        assert operation["summary"], name
        assert {"200", "401", "403", "429"} <= set(operation["responses"]), name
        assert [limit["name"] for limit in operation["x-ratelimit-policies"]] == ["site"], name
        assert {way for ways in operation["security"] for way in ways} == {"jwtAuth", "cookieAuth"}, name
        problem = operation["responses"]["403"]["content"]["application/problem+json"]["schema"]
        assert problem == {"$ref": "#/components/schemas/SecurityProblem"}, name


def test_every_answer_but_a_spreadsheet_has_an_example(operations: dict[str, dict[str, Any]]) -> None:
    bare = [
        name
        for name, operation in operations.items()
        if not all("examples" in content for content in operation["responses"]["200"]["content"].values())
    ]

    assert bare == [f"GET {CASES}export.csv"]


def test_what_is_decided_is_decided_about_a_version(operations: dict[str, dict[str, Any]]) -> None:
    for action in Action:
        operation = operations[f"POST {CASES}{{id}}/{action}/"]
        fields = {one["name"]: one for one in operation["parameters"]}

        assert fields["If-Match"]["in"] == "header"
        assert fields["If-Match"]["required"]
        assert {"409", "412", "428"} <= set(operation["responses"])
        assert operation["requestBody"]["content"]["application/json"]["examples"]


def test_hours_are_never_left_out(document: dict[str, Any]) -> None:
    for name in ("Block", "Allow"):
        assert "hours" in document["components"]["schemas"][name]["required"]


@pytest.mark.django_db
@pytest.mark.parametrize("action", list(Action))
def test_an_example_is_taken_as_it_stands(lead: Client, action: Action) -> None:
    body = dict(examples.ASKED[action])
    if "until" in body:  # a time to come, when the example was written
        body["until"] = (datetime.now(UTC) + timedelta(days=1)).isoformat()

    response = act(lead, case(), action, body)

    assert response.status_code == 200
    assert set(response.json()["case"]) == set(examples.ONE_CASE)


@pytest.mark.django_db
def test_answers_have_the_fields_of_their_examples(lead: Client) -> None:
    now = datetime.now(UTC)
    one = case()
    stored(event(now, network=one.network), at=now)
    act(lead, one, "assign", {"assignee": "me"})
    bulk = {"action": "comment", "reason": "Asked the hoster."}
    some = [{"id": one.pk, "version": None}, {"id": 4711, "version": None}]
    answers = {
        "CASES": lead.get(CASES),
        "CASE": lead.get(f"{CASES}{one.pk}/"),
        "EVENTS": lead.get(f"{CASES}{one.pk}/events/"),
        "HISTORY": lead.get(f"{CASES}{one.pk}/history/"),
        "TIMELINE": lead.get(f"{CASES}{one.pk}/timeline/"),
        "BULK": post(lead, f"{CASES}bulk/", bulk | {"cases": some}),
    }

    for name, response in answers.items():
        [example] = [one for one in getattr(examples, name) if one.response_only]
        assert _shape(response.json()) == _shape(example.value), name


def _shape(value: Any) -> Any:
    """The fields, all the way down to where an example has nothing; of a list what its first item has."""
    if isinstance(value, dict):
        return {key: _shape(inner) for key, inner in value.items() if key in LISTS or isinstance(inner, dict)} | {
            key: None for key in value if key not in LISTS and not isinstance(value[key], dict)
        }
    return _shape(value[0]) if isinstance(value, list) and value else None


# Which lists every answer has something in.
LISTS = ("results", "buckets", "done", "refused")
