"""Every field of every kind of answer, read back by an independent structured-field library with the draft's types."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import http_sf
import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest
from django.test import AsyncClient, Client

from ip_tracking.gate import decisions

POLICIES: dict[str, Any] = {
    "site": {"rates": ["25/m", "40/h", "1000000/d"]},
    "a-name-with-hyphens-and-9-digits-0-to-it": {"rates": ["60/10s"], "routes": ["*"], "key": "network"},
    "dear": {"rates": ["10/m", "30/h"], "routes": ["search"], "cost": 4},
    "seen-only": {"rates": ["1/m"], "routes": ["*"], "mode": "shadow"},
    "switched-off": {"rates": ["1/m"], "routes": ["*"], "mode": "off"},
    "sign-ins": {"rates": ["4/m", "5/h"], "kinds": ["login"], "key": "network", "counts": "failures"},
    "one-account": {"rates": ["3/m"], "kinds": ["login"], "key": "account", "counts": "failures"},
    "declined": {"rates": ["3/10m"], "kinds": ["payment"], "counts": "failures", "store_away": "closed"},
    **dict.fromkeys(["login", "login-hourly", "login-account", "payment", "payment-declines"]),
}
UNTOLD = {"seen-only", "switched-off", "one-account"}

PAGES = ["/page/?", "/page/?status=404", "/search/?", "/pay/?status=201", "/pay/?status=402", "/nowhere/?"]
CACHED = ["public, max-age=60", "private, max-age=60", "max-age=60", "no-store", "s-maxage=5", ""]
ACCEPTED = ["application/json", "text/html", "*/*"]


def known_caller(request: HttpRequest) -> str | None:
    return request.META.get("HTTP_X_TEST_USER")


@pytest.fixture(params=["sync", "async"])
def send(request, settings, tracking):
    settings.ROOT_URLCONF = "tests.gate.urls"
    tracking(
        KINDS={"pay": "payment", "sign-in": "login"},
        KNOWN_CALLER="tests.gate.test_answers.known_caller",
        POLICIES={name: row and row | {"why": "for a test"} for name, row in POLICIES.items()},
    )
    if request.param == "sync":
        client = Client(raise_request_exception=False)
        return SimpleNamespace(get=client.get, post=client.post)
    client = AsyncClient(raise_request_exception=False)
    return SimpleNamespace(get=async_to_sync(client.get), post=async_to_sync(client.post))


@pytest.mark.django_db(transaction=True)
def test_every_field_of_every_answer_is_what_the_draft_says(send, tracking):
    answers = [*_sign_in(send), *_browse(send), *_meet_decisions(send), *_meet_no_store(send, tracking)]

    for answer in answers:
        _is_well_told(answer)

    # Else the run proves less than it says.
    seen = Counter(answer.status_code for answer in answers)
    assert set(seen) == {200, 201, 401, 402, 403, 404, 429, 503}
    assert min(seen.values()) >= 2


@pytest.mark.parametrize("control", CACHED)
def test_what_is_left_is_told_where_no_shared_cache_may_keep_it(send, control):
    answer = send.get("/page/", {"Cache-Control": control})

    assert "RateLimit-Policy" in answer
    assert ("RateLimit" in answer) == (control in {"private, max-age=60", "no-store", ""})


def test_a_place_given_back_because_another_key_refused_is_told_as_left(send, tracking):
    """The network's place was taken first; the user's own limit refused."""
    everything = {"routes": ["*"], "why": "for a test"}
    net, mine = everything | {"rates": ["2/m"], "key": "network"}, everything | {"rates": ["1/m"]}
    tracking(POLICIES={"site": None, "net": net, "mine": mine})
    send.get("/page/", headers={"X-Test-User": "7"})

    answer = send.get("/page/", headers={"X-Test-User": "7"})

    told = _items(answer, "RateLimit")
    assert answer.status_code == 429
    assert (told["mine"]["r"], told["net"]["r"]) == (0, 1)


def _browse(send: Any) -> list[Any]:
    cases = itertools.product(CACHED, ACCEPTED, PAGES)
    users = itertools.cycle([{}, {"X-Test-User": "7"}, {}, {"X-Test-User": "8"}, {}])
    return [
        send.get(f"{page}&Cache-Control={control}" if control else page, headers={"Accept": accept, **user})
        for (control, accept, page), user in zip(cases, users, strict=False)
    ]


def _sign_in(send: Any) -> list[Any]:
    names = ["ada", "ada", "ada", "ada", "bob", "cay", "dan"]
    return [send.post("/sign-in/", {"username": name, "password": "wrong"}) for name in names]


def _meet_decisions(send: Any) -> list[Any]:
    now = datetime.now(UTC)
    answers = []
    for kind in ("throttle", "block"):
        decisions.decide(
            kind, "127.0.0.1", until=now + timedelta(hours=1), reason="a test", actor="dana", by_person=True, now=now
        )
        answers += [send.get("/page/", headers={"Accept": accept}) for accept in ACCEPTED]
    return answers


def _meet_no_store(send: Any, tracking: Any) -> list[Any]:
    tracking(STORE_URL="unix:///nowhere.sock")
    return [send.get(page, headers={"Accept": accept}) for page in ("/pay/", "/page/") for accept in ACCEPTED]


def _is_well_told(answer: Any) -> None:
    policies, left = _items(answer, "RateLimit-Policy"), _items(answer, "RateLimit")
    for name, item in policies.items():
        assert set(item) == {"q", "w"}, name
        assert _whole(item["q"]), name
        assert _whole(item["w"], least=1), name
        assert not any(name.startswith(untold) for untold in UNTOLD)
    for name, item in left.items():
        assert set(item) == {"r", "t"}, name
        assert _whole(item["r"]), name
        assert _whole(item["t"]), name
        assert item["r"] <= policies[name]["q"]
        assert item["t"] <= policies[name]["w"]
    _is_well_refused(answer, left)


def _is_well_refused(answer: Any, left: dict[str, dict[str, int]]) -> None:
    refused = answer.status_code in {429, 503}
    assert ("Retry-After" in answer) == refused
    if answer.status_code not in {403, 429, 503}:
        return
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Length"] == str(len(answer.content))
    if answer["Content-Type"] == "application/problem+json":
        problem = json.loads(answer.content)
        assert problem["status"] == answer.status_code
        assert all(left[name]["r"] == 0 for name in problem.get("violated-policies", ()) if name in left)
    else:
        assert answer["Content-Type"].startswith("text/html")
    if refused:
        assert answer["Retry-After"].isdecimal()
        assert int(answer["Retry-After"]) >= 1
        assert all(item["t"] <= int(answer["Retry-After"]) for item in left.values() if item["r"] == 0)
    else:
        assert not left


def _items(answer: Any, field: str) -> dict[str, dict[str, Any]]:
    """The field as a list of strings with parameters, no name twice; {} where it is absent."""
    if field not in answer:
        return {}
    items = http_sf.parse(answer[field].encode(), tltype="list")
    assert all(type(name) is str for name, _ in items), "a policy is named by a string, not by a token"
    assert len(dict(items)) == len(items) > 0
    return dict(items)


def _whole(value: Any, least: int = 0) -> bool:
    """A structured field's integer: no decimal, no boolean, at most fifteen digits."""
    return type(value) is int and least <= value < 10**15
