"""Deciding by program: on what one saw, all or each by itself, and taking it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from ip_tracking.models import Decision, ReviewAction, SuspiciousIP
from tests.review.api.conftest import CASES, WHY, act, again, case, errors, post, problem
from tests.review.conftest import OFFICE

pytestmark = pytest.mark.django_db

BULK, UNDO = f"{CASES}bulk/", "/api/v1/security/batches/{}/undo/"


def chosen(*some: SuspiciousIP, version: int | None = None) -> list[dict[str, Any]]:
    return [{"id": one.pk, "version": version} for one in some]


# One case


def test_each_action_does_what_the_page_does(lead: Client) -> None:
    one = case()
    kim: Any = get_user_model().objects.get(username="kim")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    steps: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("assign", {"assignee": "me"}, {"assignee_id": kim.pk}),
        ("assign", {"assignee": None}, {"assignee_id": None}),
        ("assign", {"assignee": str(kim.pk)}, {"assignee_id": kim.pk}),
        ("comment", {"reason": WHY}, {"triage": "open"}),
        ("snooze", {"until": tomorrow.isoformat(), "worse": False}, {"triage": "snoozed", "snoozed_until": tomorrow}),
        ("snooze", {}, {"snoozed_until": None, "snoozed_score": 30}),
        ("judge", {"verdict": "benign", "reason": WHY}, {"triage": "closed", "verdict": "benign"}),
        ("reopen", {}, {"triage": "open", "verdict": ""}),
        ("block", {"hours": None, "reason": WHY}, {"enforcement": "block", "enforced_until": None, "triage": "open"}),
        ("unblock", {"reason": WHY}, {"enforcement": "none"}),
        ("block", {"hours": 1, "reason": WHY, "verdict": "malicious"}, {"enforcement": "block", "triage": "closed"}),
        ("allow", {"hours": 24, "reason": WHY}, {"enforcement": "allow"}),
    ]
    for version, (action, body, expected) in enumerate(steps, start=1):
        response = act(lead, one, action, body, match=f'"{version}"')

        assert response.status_code == 200, response.content
        assert response["ETag"] == f'"{version + 1}"'
        assert response.json()["case"]["version"] == version + 1
        assert {name: getattr(again(one), name) for name in expected} == expected
        [record] = ReviewAction.objects.filter(batch=response.json()["batch"])
        assert (record.action, record.actor_name, record.via) == (action, "kim", "api")
        assert record.request_id == response["X-Request-ID"]


def test_without_a_version_nothing_is_done(analyst: Client) -> None:
    one = case()
    for match in (None, " "):
        response = act(analyst, one, "comment", {"reason": WHY}, match=match)

        assert response.status_code == 428
        assert "If-Match" in problem(response)["detail"]
    assert again(one).version == 1


def test_who_saw_an_older_version_is_told_who_did_what(analyst: Client, lead: Client) -> None:
    one = case()
    act(lead, one, "comment", {"reason": "Mine, please wait."})

    response = act(analyst, one, "block", {"hours": 24, "reason": WHY}, match='"1"')

    shown = problem(response)
    assert response.status_code == 412
    assert shown["type"] == "urn:problem-type:security:changed"
    assert shown["detail"].startswith("Changed by kim ")
    assert "(comment)" in shown["detail"]
    assert shown["version"] == 2
    assert again(one).enforcement == "none"


@pytest.mark.parametrize("match", ['W/"1"', '"one"', '"1", "2"', "1", '"\u0661"', '"-1"', f'"{"9" * 40}"'])
def test_what_is_not_the_etag_does_not_match(analyst: Client, match: str) -> None:
    one = case()

    assert act(analyst, one, "comment", {"reason": WHY}, match=match).status_code == 412
    assert again(one).version == 1


@pytest.mark.parametrize(
    ("action", "body", "pointer", "word"),
    [
        ("block", {"reason": WHY}, "#/hours", "required"),
        ("block", {"reason": WHY, "hours": 0}, "#/hours", "from one hour to a year"),
        ("block", {"reason": WHY, "hours": 8761}, "#/hours", "from one hour to a year"),
        ("block", {"reason": WHY, "hours": 10**30}, "#/hours", ""),
        ("block", {"reason": WHY, "hours": "soon"}, "#/hours", "integer"),
        ("block", {"reason": WHY, "hours": 1, "verdict": "benign"}, "#/verdict", "malicious"),
        ("block", {"hours": 1}, "#/reason", "required"),
        ("block", {"hours": 1, "reason": "no"}, "#/reason", "5 to 500"),
        ("block", {"hours": 1, "reason": "x" * 501}, "#/reason", "5 to 500"),
        ("comment", {"reason": "a\x00bcdef"}, "#/reason", "Null characters"),
        ("judge", {"reason": WHY}, "#/verdict", "required"),
        ("judge", {"reason": WHY, "verdict": "guilty"}, "#/verdict", "not a valid choice"),
        ("assign", {}, "#/assignee", "required"),
        ("assign", {"assignee": "4711"}, "#/assignee", "nobody who may review"),
        ("assign", {"assignee": "\u202e"}, "#/assignee", "nobody who may review"),
        ("snooze", {"worse": False}, "#/until", "within 90 days"),
        ("snooze", {"until": "2020-01-01T00:00:00Z"}, "#/until", "within 90 days"),
        ("snooze", {"until": "tomorrow"}, "#/until", "wrong format"),
        ("comment", [], "#", "dictionary"),
    ],
)
def test_an_order_that_makes_no_sense_says_which_field(
    lead: Client, action: str, body: Any, pointer: str, word: str
) -> None:
    one = case()

    found = errors(act(lead, one, action, body))

    assert list(found) == [pointer]
    assert word in found[pointer]
    assert again(one).version == 1


def test_what_is_no_json_is_refused_as_a_problem(analyst: Client) -> None:
    path = f"{CASES}{case().pk}/comment/"

    response = analyst.post(path, "{", content_type="application/json", headers={"If-Match": "*"})
    other = analyst.post(path, "reason=x", content_type="text/plain", headers={"If-Match": "*"})

    assert (response.status_code, problem(response)["title"]) == (400, "Bad Request")
    assert (other.status_code, problem(other)["title"]) == (415, "Unsupported Media Type")


def test_what_may_not_be_blocked_says_why(analyst: Client) -> None:
    for network in ("127.0.0.1", OFFICE):
        one = case(network=network)

        response = act(analyst, one, "block", {"hours": 1, "reason": WHY})

        assert response.status_code == 409
        assert problem(response)["type"] == "urn:problem-type:security:not-done"
        assert again(one).version == 1


@pytest.mark.parametrize("number", ["4711", str(2**63), "9" * 40])
def test_a_case_that_is_not_there(analyst: Client, number: str) -> None:
    response = post(analyst, f"{CASES}{number}/comment/", {"reason": WHY})

    assert response.status_code == 404
    assert problem(response)["detail"] == "There is no such case."


# Several


def test_in_bulk_each_case_is_done_or_says_why_not(analyst: Client, lead: Client) -> None:
    fine, stale, office = case(1), case(2), case(3, network=OFFICE)
    act(lead, stale, "comment", {"reason": "Mine, please wait."})
    body = {"action": "block", "hours": 24, "reason": WHY}

    response = post(
        analyst, BULK, {**body, "cases": [*chosen(fine, stale, version=1), *chosen(office), {"id": 4711, "version": 1}]}
    )

    shown = response.json()
    assert response.status_code == 200
    assert shown["done"] == [{"id": fine.pk, "network": fine.network, "version": 2}]
    refused = {row["id"]: (row["why"].partition(" ")[0], row["stale"]) for row in shown["refused"]}
    assert refused == {stale.pk: ("Changed", True), office.pk: ("You", False), 4711: ("There", False)}
    assert {record.case_id for record in ReviewAction.objects.filter(batch=shown["batch"])} == {fine.pk}
    assert [again(one).enforcement for one in (fine, stale, office)] == ["block", "none", "none"]


def test_a_dry_run_tells_and_does_nothing(analyst: Client) -> None:
    fine, office = case(1), case(2, network=OFFICE)
    body = {"action": "block", "hours": 24, "reason": WHY, "dry_run": True, "cases": chosen(fine, office, version=1)}

    shown = post(analyst, BULK, body).json()

    assert (shown["batch"], shown["dry_run"]) == (None, True)
    assert [row["id"] for row in shown["done"]] == [fine.pk]
    assert [row["id"] for row in shown["refused"]] == [office.pk]
    assert not ReviewAction.objects.exists()
    assert not Decision.objects.exists()


def test_where_nothing_was_done_there_is_nothing_to_undo(analyst: Client) -> None:
    body = {"action": "comment", "reason": WHY, "cases": chosen(case(), version=7)}

    shown = post(analyst, BULK, body).json()

    assert shown["batch"] is None
    assert shown["refused"][0]["stale"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"action": "erase"}, "#/action"),
        ({"cases": []}, "#/cases"),
        ({"cases": [{"id": 1, "version": 1}] * 2}, "#/cases"),
        ({"cases": [{"id": number, "version": 1} for number in range(1, 202)]}, "#/cases"),
        ({"cases": [{"id": 1}]}, "#/cases/0/version"),
        ({"cases": [{"id": 2**63, "version": 1}]}, "#/cases/0/id"),
        ({"cases": [{"id": "x", "version": 1}]}, "#/cases/0/id"),
        ({"reason": "no"}, "#/reason"),
        ({"dry_run": 0}, "#/dry_run"),
        ({"dry_run": "off"}, "#/dry_run"),
        ({"assignee": 0}, "#/assignee"),
        ({"worse": {}}, "#/worse"),  # also what this action does not take
    ],
)
def test_a_bulk_order_that_makes_no_sense_is_refused_whole(lead: Client, change: Any, pointer: str) -> None:
    case()
    body = {"action": "comment", "reason": WHY, "cases": [{"id": 1, "version": 1}]} | change

    assert list(errors(post(lead, BULK, body))) == [pointer]
    assert not ReviewAction.objects.exists()


def test_many_at_once_are_a_leads(analyst: Client, lead: Client) -> None:
    many = [case(number) for number in range(101)]
    body = {"action": "comment", "reason": WHY, "cases": chosen(*many, version=1)}

    refused = post(analyst, BULK, body)

    assert refused.status_code == 403
    assert "ip_tracking.bulk_suspiciousip" in problem(refused)["detail"]
    assert len(post(lead, BULK, body).json()["done"]) == 101


# Taking it back


def test_a_batch_is_taken_back_but_for_what_somebody_changed_since(analyst: Client, lead: Client) -> None:
    one, other = case(1), case(2)
    body = {"action": "block", "hours": 24, "reason": WHY, "cases": chosen(one, other, version=1)}
    batch = post(analyst, BULK, body).json()["batch"]
    act(lead, other, "comment", {"reason": "Right so."})

    response = post(analyst, UNDO.format(batch))

    shown = response.json()
    assert response.status_code == 200
    assert [row["id"] for row in shown["done"]] == [one.pk]
    assert [(row["id"], row["stale"]) for row in shown["refused"]] == [(other.pk, True)]
    assert [again(each).enforcement for each in (one, other)] == ["none", "block"]


def test_it_is_taken_back_once_by_its_own_actor_and_in_time(analyst: Client, lead: Client) -> None:
    mine = act(analyst, case(1), "snooze").json()["batch"]
    theirs = act(lead, case(2), "snooze").json()["batch"]

    assert post(analyst, UNDO.format(theirs)).status_code == 403
    assert post(analyst, UNDO.format(mine)).status_code == 200
    twice = post(analyst, UNDO.format(mine))
    assert twice.status_code == 409
    assert "taken back already" in problem(twice)["detail"]
    assert post(lead, UNDO.format(uuid4())).status_code == 404


def test_a_comment_stays(analyst: Client) -> None:
    batch = act(analyst, case(), "comment", {"reason": WHY}).json()["batch"]

    assert post(analyst, UNDO.format(batch)).status_code == 409
