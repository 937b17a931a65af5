from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.http import HttpResponse
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from ip_tracking.detection.finding import Severity
from ip_tracking.models import SuspiciousIP
from tests.review.conftest import OFFICE

CASES = "/api/v1/security/cases/"
WHY = "Card testing since noon"

Sign = Callable[..., Client]

RANKS = {severity.value: severity.rank for severity in Severity}


@pytest.fixture
def holding(db: None) -> Sign:
    """Somebody in one of the groups, who calls with a token: `holding("Security analyst")`."""

    def sign(role: str = "", name: str = "dana") -> Client:
        user: Any = get_user_model().objects.create_user(name, password="a good password")
        if role:
            user.groups.add(Group.objects.get(name=role))
        return Client(REMOTE_ADDR=OFFICE, headers={"Authorization": f"Bearer {AccessToken.for_user(user)}"})

    return sign


@pytest.fixture
def viewer(holding: Sign) -> Client:
    return holding("Security viewer", "vera")


@pytest.fixture
def analyst(holding: Sign) -> Client:
    return holding("Security analyst", "dana")


@pytest.fixture
def lead(holding: Sign) -> Client:
    return holding("Security lead", "kim")


def case(number: int = 1, **fields: Any) -> SuspiciousIP:
    """A case as it lies in the table, without findings."""
    now = datetime.now(UTC)
    values = {
        "network": f"198.51.{100 + number // 250}.{number % 250}",
        "severity": "high",
        "score": 10,
        "top_rule": "probing",
        "first_seen": now - timedelta(hours=1),
        "last_seen": now - timedelta(minutes=1),
    } | fields
    return SuspiciousIP.objects.create(severity_rank=RANKS[values["severity"]], **values)


def post(client: Client, path: str, body: Any = None, match: str | None = "*") -> HttpResponse:
    headers = {} if match is None else {"If-Match": match}
    return client.post(path, {} if body is None else body, content_type="application/json", headers=headers)


def act(client: Client, one: SuspiciousIP, action: str, body: Any = None, match: str | None = "*") -> HttpResponse:
    return post(client, f"{CASES}{one.pk}/{action}/", body, match)


def problem(response: HttpResponse) -> dict[str, Any]:
    assert response["Content-Type"] == "application/problem+json"
    shown: dict[str, Any] = response.json()
    assert shown["status"] == response.status_code
    assert shown["instance"].startswith("urn:sentinel:request:")
    return shown


def errors(response: HttpResponse) -> dict[str, str]:
    """What was wrong, by parameter or pointer."""
    assert response.status_code == 400
    return {one.get("parameter", one.get("pointer", "")): one["detail"] for one in problem(response)["errors"]}


def again(one: SuspiciousIP) -> SuspiciousIP:
    one.refresh_from_db()
    return one
