"""Who may call what: the same roles as on the pages, whatever way somebody is signed in."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from ip_tracking.models import ReviewAction
from ip_tracking.security_api.urls import urlpatterns
from tests.review.api.conftest import CASES, WHY, Sign, act, again, case, post, problem
from tests.review.conftest import OFFICE, Staff

pytestmark = pytest.mark.django_db

LOOKING = ["", "export.csv", "export.json", "{pk}/", "{pk}/events/", "{pk}/timeline/", "{pk}/history/"]

BODIES: dict[str, dict[str, Any]] = {
    "assign": {"assignee": "me"},
    "comment": {"reason": WHY},
    "snooze": {},
    "reopen": {},
    "judge": {"verdict": "benign", "reason": WHY},
    "block": {"hours": 168, "reason": WHY},
    "unblock": {"reason": WHY},
    "allow": {"hours": 24, "reason": WHY},
}

TRIAGE = {"assign", "comment", "snooze", "reopen", "judge"}


def addresses(pk: int) -> list[tuple[str, str]]:
    looking = [("GET", CASES + path.format(pk=pk)) for path in LOOKING]
    acting = [("POST", f"{CASES}{pk}/{action}/") for action in BODIES]
    return [*looking, *acting, ("POST", f"{CASES}bulk/"), ("POST", f"/api/v1/security/batches/{uuid4()}/undo/")]


def test_these_are_all_addresses_there_are() -> None:
    assert len(addresses(1)) == len(urlpatterns)


def test_strangers_are_turned_away_everywhere() -> None:
    for method, path in addresses(case().pk):
        response = Client().generic(method, path, "{}", content_type="application/json", headers={"If-Match": "*"})

        assert (response.status_code, path) == (401, path)
        assert response["WWW-Authenticate"].startswith("Bearer")
        assert problem(response)["title"] == "Unauthorized"
    assert not ReviewAction.objects.exists()


@pytest.mark.parametrize("name", ["nobody", "staff"])
def test_who_is_signed_in_and_holds_no_permission_is_turned_away_everywhere(
    holding: Sign, staff: Staff, name: str
) -> None:
    client = holding() if name == "nobody" else staff(name="frank")
    for method, path in addresses(case().pk):
        response = client.generic(method, path, "{}", content_type="application/json", headers={"If-Match": "*"})

        assert (response.status_code, path) == (403, path)
        assert "ip_tracking.view_suspiciousip" in problem(response)["detail"]
    assert not ReviewAction.objects.exists()


def test_a_member_of_staff_calls_by_session_too(staff: Staff) -> None:
    one = case()
    client = staff("view", "review")

    assert client.get(CASES).json()["results"][0]["id"] == one.pk
    assert act(client, one, "comment", {"reason": WHY}).status_code == 200


def test_by_session_a_post_needs_djangos_token(staff: Staff) -> None:
    one = case()
    strict = Client(enforce_csrf_checks=True, REMOTE_ADDR=OFFICE)
    strict.cookies = staff("view", "review").cookies

    refused = act(strict, one, "comment", {"reason": WHY})

    assert refused.status_code == 403
    assert "CSRF" in problem(refused)["detail"]
    strict.get("/admin/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', strict.get("/admin/").text)
    assert token is not None
    headers = {"If-Match": "*", "X-CSRFToken": token[1]}
    passed = strict.post(f"{CASES}{one.pk}/comment/", {"reason": WHY}, content_type="application/json", headers=headers)
    assert passed.status_code == 200


def test_who_was_dismissed_is_a_stranger(analyst: Client) -> None:
    get_user_model().objects.filter(username="dana").update(is_active=False)

    assert analyst.get(CASES).status_code == 401


def test_a_role_that_is_taken_away_is_gone_at_once(analyst: Client) -> None:
    one = case()
    user: Any = get_user_model().objects.get(username="dana")
    user.groups.clear()

    assert act(analyst, one, "comment", {"reason": WHY}).status_code == 403


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("Security viewer", set()),
        ("Security analyst", TRIAGE | {"block", "unblock"}),
        ("Security lead", TRIAGE | {"block", "unblock", "allow"}),
    ],
)
@pytest.mark.parametrize("action", BODIES)
def test_each_role_may_do_its_own(holding: Sign, role: str, may: set[str], action: str) -> None:
    one = case()
    client = holding(role)

    single = act(client, one, action, BODIES[action])
    bulk = post(
        client, f"{CASES}bulk/", {"action": action, "cases": [{"id": one.pk, "version": None}]} | BODIES[action]
    )

    assert {single.status_code, bulk.status_code} == ({200} if action in may else {403})
    if action not in may:
        assert "takes the permission ip_tracking." in problem(single)["detail"]
        assert again(one).version == 1


@pytest.mark.parametrize("hours", [169, None])
def test_long_blocks_are_a_leads(analyst: Client, lead: Client, hours: int | None) -> None:
    one = case()

    refused = act(analyst, one, "block", {"hours": hours, "reason": WHY})

    assert refused.status_code == 403
    assert "ip_tracking.block_long_suspiciousip" in problem(refused)["detail"]
    assert act(lead, one, "block", {"hours": hours, "reason": WHY}).status_code == 200


def test_what_a_viewer_sends_is_not_even_read(viewer: Client) -> None:
    """What is wrong with an order is told to whoever may give it."""
    response = act(viewer, case(), "judge", {"verdict": "guilty"})

    assert response.status_code == 403


@pytest.mark.parametrize("name", ["export.csv", "export.json"])
def test_to_export_takes_its_own_permission(viewer: Client, name: str) -> None:
    response = viewer.get(CASES + name)

    assert response.status_code == 403
    assert "ip_tracking.export_suspiciousip" in problem(response)["detail"]
    assert not ReviewAction.objects.exists()


def test_nothing_may_be_kept_by_a_cache(analyst: Client) -> None:
    one = case()
    for response in (analyst.get(CASES), analyst.get(f"{CASES}{one.pk}/"), analyst.get(f"{CASES}export.csv")):
        assert response["Cache-Control"] == "private, no-store"


def test_the_limits_of_the_house_count_here_too(viewer: Client, tracking: Any) -> None:
    tracking(POLICIES={"site": {"rates": ["2/m"], "why": "for a test"}})

    statuses = [viewer.get(CASES).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


def test_a_token_of_somebody_who_is_gone_is_nobodys(db: None) -> None:
    user: Any = get_user_model().objects.create_superuser("gone")
    token = AccessToken.for_user(user)
    user.delete()

    assert Client(headers={"Authorization": f"Bearer {token}"}).get(CASES).status_code == 401
