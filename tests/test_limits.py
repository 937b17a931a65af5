"""GET limits: what holds the caller, and what is left; asking is free."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import http_sf
import pytest
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from ip_tracking.gate import decisions, store
from shop.accounts.models import User

LIMITS = "/api/limits/"

KINDS = {"things": "payment", "healthz": "health", "admin:login": "login"}


@pytest.fixture(autouse=True)
def _api(settings, tracking):
    settings.ROOT_URLCONF = "tests.urls_consumers"
    tracking(KINDS=KINDS, KNOWN_CALLER="tests.test_door.known_caller", OUTCOMES={})


def row(*rates: str, **values: Any) -> dict[str, Any]:
    return {"rates": list(rates), "why": "for a test", **values}


def told(client: Client, **headers: str) -> dict[str, dict[str, Any]]:
    """The policies of the answer, by name."""
    return {policy["name"]: policy for policy in client.get(LIMITS, headers=headers).json()["policies"]}


def test_a_stranger_learns_what_holds_their_network(client, tracking):
    response = client.get(LIMITS)

    assert response.status_code == 200
    assert response.json() == {
        "caller": "network",
        "policies": [
            {
                "name": "site",
                "covers": ["everything"],
                "limit": 1200,
                "window": 64,
                "counts": "all",
                "cost": 1,
                "remaining": 1200,
                "reset": 60,
            },
            {
                "name": "payment",
                "covers": ["GET /api/things/", "POST /api/things/"],
                "limit": 20,
                "window": 64,
                "counts": "all",
                "cost": 1,
                "remaining": 20,
                "reset": 60,
            },
            {
                "name": "payment-declines",
                "covers": ["GET /api/things/", "POST /api/things/"],
                "limit": 5,
                "window": 600,
                "counts": "failures",
                "cost": 1,
                "remaining": 5,
                "reset": 600,
            },
        ],
    }


def test_the_answer_is_its_askers_alone(client):
    response = client.get(LIMITS)

    assert response["Cache-Control"] == "private, no-store"
    assert response["Vary"].startswith("Authorization, Cookie")


def test_asking_counts_under_no_policy(client, tracking):
    tracking(POLICIES={"site": row("2/m")})

    answers = [client.get(LIMITS) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert told(client)["site"]["remaining"] == 2
    assert "RateLimit" not in answers[-1]


def test_it_agrees_with_the_fields_of_the_next_answer(client, tracking):
    tracking(POLICIES={"site": row("9/m", "100/h", cost=2), "payment-declines": None})
    client.get("/api/things/")
    before = told(client)

    response = client.get("/api/things/")

    after = dict(http_sf.parse(response["RateLimit"].encode(), tltype="list"))
    published = dict(http_sf.parse(response["RateLimit-Policy"].encode(), tltype="list"))
    assert set(after) == {"site-60s", "site-3600s", "payment"}
    for name, policy in before.items():
        assert published[name] == {"q": policy["limit"], "w": policy["window"]}
        assert after[name]["r"] == policy["remaining"] - policy["cost"]
        assert policy["reset"] - 1 <= after[name]["t"] <= policy["reset"]


def test_it_agrees_with_a_refusal(client, tracking):
    tracking(POLICIES={"site": row("1/m")})
    client.get("/api/things/")

    mine = told(client)["site"]
    refused = client.get("/api/things/")

    assert refused.status_code == 429
    assert mine["remaining"] == 0
    assert mine["reset"] - 1 <= int(refused["Retry-After"]) <= mine["reset"]


def test_a_known_caller_learns_their_own(client, tracking):
    tracking(
        POLICIES={
            "site": row("5/m"),
            "members": row("7/m", routes=["*"], key="user"),
            "wide": row("9/m", routes=["*"], key="network"),
        }
    )
    client.get("/api/things/", headers={"X-Test-User": "42"})

    response = client.get(LIMITS, headers={"X-Test-User": "42"})
    mine = {policy["name"]: policy["remaining"] for policy in response.json()["policies"]}
    strangers = {name: policy["remaining"] for name, policy in told(client).items()}

    assert response.json()["caller"] == "user"
    assert {name: mine[name] for name in ("site", "members", "wide")} == {"site": 4, "members": 6, "wide": 8}
    assert {name: strangers.get(name) for name in ("site", "members", "wide")} == {
        "site": 5,
        "members": None,
        "wide": 8,
    }


def test_what_may_be_somebody_elses_or_is_only_tried_out_is_not_shown(client, tracking):
    tracking(
        POLICIES={
            "stock": row("5/m", routes=["plain"], key="url:slug"),
            "trial": row("5/m", routes=["*"], mode="shadow"),
            "off": row("5/m", routes=["*"], mode="off"),
        }
    )

    assert set(told(client)) == {"site", "payment", "payment-declines"}


def test_the_admin_and_pages_are_not_shown(client, tracking):
    tracking(POLICIES={"pages": row("5/m", routes=["page"])})

    text = client.get(LIMITS).text

    assert "login" not in text
    assert "page" not in text


def test_marks_methods_and_kinds_are_shown_where_they_hold(client, tracking):
    tracking(
        KINDS={**KINDS, "graphql": "graphql"},
        POLICIES={
            "writes": row("5/m"),
            "exports": row("6/m"),
            "queries": row("7/m", kinds=["graphql"]),
            "creation": row("8/m", routes=["things"], methods=["POST"]),
            "changes": row("9/m", routes=["*"], methods=["POST", "DELETE"]),
        },
    )

    policies = told(client)

    assert policies["writes"]["covers"] == ["POST /api/plain/{slug}/", "POST /api/export/"]
    assert policies["exports"]["covers"] == ["GET /api/export/", "POST /api/export/"]
    assert policies["queries"]["covers"] == ["POST /graphql/"]
    assert policies["creation"]["covers"] == ["POST /api/things/"]
    assert policies["changes"]["covers"] == ["DELETE everything", "POST everything"]


def test_while_the_store_is_away_nobody_can_tell_what_is_left(client, tracking):
    tracking(STORE_URL="unix:///nowhere.sock")

    policies = told(client)

    assert set(policies) == {"site", "payment", "payment-declines"}
    assert {(policy["remaining"], policy["reset"]) for policy in policies.values()} == {(None, None)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("kind", "status"), [("block", 403), ("throttle", 429)])
def test_a_decision_binds_the_asker_as_everywhere(client, kind, status):
    decide(kind)

    assert client.get(LIMITS).status_code == status


@pytest.mark.django_db(transaction=True)
def test_a_throttled_networks_known_caller_is_not_bound_and_reads_theirs(client):
    decide("throttle")

    assert told(client, **{"X-Test-User": "42"})["site"]["remaining"] == 1200


@pytest.mark.django_db(transaction=True)
def test_nothing_holds_an_allowed_network(client):
    decide("allow")
    decisions.refresh()

    assert client.get(LIMITS).json() == {"caller": "network", "policies": []}


@pytest.mark.django_db
def test_it_costs_a_stranger_two_calls_and_no_query(client, django_assert_num_queries):
    client.get(LIMITS)  # the server learns the script
    before = scripts_run()

    with django_assert_num_queries(0):
        client.get(LIMITS)

    assert scripts_run() - before == 2


@pytest.mark.django_db
def test_in_the_shop_a_token_makes_the_user_known(client, settings, tracking):
    settings.ROOT_URLCONF = "sentinel.urls"
    tracking(KNOWN_CALLER="shop.accounts.tokens.caller_id", KINDS={"shop:login": "login"})
    token = AccessToken.for_user(User.objects.create_user("ada"))

    answer = client.get("/api/v1/limits/", headers={"Authorization": f"Bearer {token}"}).json()

    assert answer["caller"] == "user"
    assert answer["policies"][1]["covers"] == ["POST /api/v1/auth/token/"]


def decide(kind: str) -> None:
    now = datetime.now(UTC)
    until = now + timedelta(hours=1)
    decisions.decide(kind, "127.0.0.1", until=until, reason="a test", actor="dana", by_person=True, now=now)


def scripts_run() -> int:
    stats = store.get().client.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "eval"))
