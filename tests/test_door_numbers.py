"""What the door counts: each refusal once and by its kind, what is in shadow apart, each attempt to sign in once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient
from pytest_django.fixtures import Settings

from ip_tracking.gate import decisions
from metrics import client, emit
from metrics.catalogue import AUTH_ATTEMPTS, BLOCKED, REQUESTS, STORE_MISSING, THROTTLED, WOULD_THROTTLE
from metrics.entry import Metric
from tests.dogstatsd import Receiver, udp_receiver
from tests.metrics.conftest import send_to
from tests.urls_door import slow_async_began

HOUR = timedelta(hours=1)
ME = "127.0.0.1"
REFUSALS = (THROTTLED, BLOCKED, WOULD_THROTTLE, STORE_MISSING)
ONCE = {"rates": ["1/m"], "key": "network", "why": "for a test"}
PASSWORD = "a long enough password"

Configure = Callable[..., Any]


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with udp_receiver() as receiver:
        send_to(monkeypatch, receiver.environ)
        yield receiver
        client.close()


@pytest.fixture(autouse=True)
def _door(settings: Settings, tracking: Configure) -> None:
    settings.ROOT_URLCONF = "tests.urls_door"
    tracking(KINDS={"login": "login", "login-async": "login", "healthz": "health"}, OUTCOMES={}, POLICIES={})


def told(agent: Receiver, *metrics: Metric) -> dict[str, tuple[float, dict[str, str]]]:
    """Returns by its name each of these metrics that came at all, with its sum and the tags it had."""
    emit.flush()
    return {
        metric.name: (agent.total(metric), agent.samples(metric)[-1].tags) for metric in metrics if agent.total(metric)
    }


def decide(kind: str, network: str = ME) -> None:
    now = datetime.now(UTC)
    decisions.decide(kind, network, until=now + HOUR, reason="a test", actor="dana", by_person=True, now=now)
    decisions.refresh(now)


# Refusals


@pytest.mark.parametrize(
    ("urls", "page"),
    [
        ("tests.urls_door", "/plain/"),  # at the door
        ("tests.urls_limited", "/hidden/"),  # by the view's own mark, which the door cannot see
        ("tests.urls_throttle", "/named-hidden/"),  # by REST framework's throttle
    ],
)
def test_a_refusal_by_a_policy_counts_once(
    agent: Receiver, http: SimpleNamespace, settings: Settings, tracking: Configure, urls: str, page: str
) -> None:
    settings.ROOT_URLCONF = urls
    tracking(KINDS={}, POLICIES={"exports": ONCE if urls != "tests.urls_door" else {**ONCE, "routes": ["plain"]}})

    statuses = [http.get(page).status_code for _ in range(2)]

    route = page.strip("/")
    assert statuses == [200, 429]
    assert told(agent, *REFUSALS) == {THROTTLED.name: (1, {"policy": "exports", "route": route})}


def test_a_refusal_of_django_ratelimits_decorator_counts_once(
    agent: Receiver, http: SimpleNamespace, settings: Settings
) -> None:
    settings.ROOT_URLCONF = "tests.urls_ratelimit"

    status = http.get("/never/").status_code

    assert status == 429
    assert told(agent, *REFUSALS) == {THROTTLED.name: (1, {"policy": "never", "route": "never"})}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["block", "throttle"])
@pytest.mark.parametrize("network", [ME, "127.0.0.0/8"])
def test_a_refusal_by_a_decision_counts_once(agent: Receiver, http: SimpleNamespace, kind: str, network: str) -> None:
    decide(kind, network)

    http.get("/plain/")
    http.get("/no/such/page/")

    emit.flush()
    assert agent.values(BLOCKED, reason=kind, route="plain") == [1]
    assert agent.values(BLOCKED, reason=kind, route="unresolved") == [1]
    assert told(agent, *REFUSALS).keys() == {BLOCKED.name}


def test_what_a_policy_in_shadow_would_refuse_is_not_throttled(
    agent: Receiver, http: SimpleNamespace, tracking: Configure
) -> None:
    tracking(POLICIES={"quiet": {**ONCE, "routes": ["plain"], "mode": "shadow"}})

    statuses = [http.get("/plain/").status_code for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert told(agent, *REFUSALS) == {WOULD_THROTTLE.name: (2, {"policy": "quiet", "route": "plain"})}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("refusal", ["block", "site"])
def test_what_a_gate_in_shadow_would_refuse_is_not_refused(
    agent: Receiver, http: SimpleNamespace, tracking: Configure, refusal: str
) -> None:
    tracking(MODE="shadow", POLICIES={"site": {**ONCE, "routes": ["plain"]}})
    if refusal == "block":
        decide("block")
    else:
        http.get("/plain/")

    status = http.get("/plain/").status_code

    assert status == 200
    assert told(agent, *REFUSALS) == {WOULD_THROTTLE.name: (1, {"policy": refusal, "route": "plain"})}


def test_a_refused_request_is_not_counted_for_a_policy_in_shadow_too(
    agent: Receiver, http: SimpleNamespace, settings: Settings, tracking: Configure
) -> None:
    settings.ROOT_URLCONF = "tests.urls_limited"
    tracking(KINDS={}, POLICIES={"quiet": {**ONCE, "routes": ["hidden"], "mode": "shadow"}, "exports": ONCE})

    statuses = [http.get("/hidden/").status_code for _ in range(2)]

    assert statuses == [200, 429]
    assert told(agent, *REFUSALS) == {THROTTLED.name: (1, {"policy": "exports", "route": "hidden"})}


# Without the store


@pytest.mark.parametrize("answer", ["open", "degraded", "closed"])
@pytest.mark.parametrize("mode", ["enforce", "shadow"])
def test_a_request_without_the_store_counts_once_by_the_answer(
    agent: Receiver, http: SimpleNamespace, tracking: Configure, answer: str, mode: str
) -> None:
    """A gate in shadow refuses nobody: what is closed was open."""
    site = {**ONCE, "rates": ["9/m"], "routes": ["plain"], "store_away": answer}
    tracking(STORE_URL="unix:///nowhere.sock", MODE=mode, POLICIES={"site": site})

    status = http.get("/plain/").status_code

    decided = "open" if (mode, answer) == ("shadow", "closed") else answer
    numbers = told(agent, *REFUSALS)
    assert status == (503 if decided == "closed" else 200)
    assert numbers[STORE_MISSING.name] == (1, {"answer": decided})
    assert THROTTLED.name not in numbers
    assert BLOCKED.name not in numbers


def test_a_limit_of_this_process_alone_is_a_policys(
    agent: Receiver, http: SimpleNamespace, tracking: Configure
) -> None:
    site = {**ONCE, "routes": ["plain"], "store_away": "degraded"}
    tracking(STORE_URL="unix:///nowhere.sock", KEY_PREFIX=f"degraded-{http.kind}", POLICIES={"site": site})

    statuses = [http.get("/plain/").status_code for _ in range(2)]

    assert statuses == [200, 429]
    assert told(agent, *REFUSALS) == {
        THROTTLED.name: (1, {"policy": "site", "route": "plain"}),
        STORE_MISSING.name: (2, {"answer": "degraded"}),
    }


@pytest.mark.parametrize(("door", "view"), [("open", "degraded"), ("degraded", "open")])
def test_a_request_that_asks_twice_is_one_without_the_store(
    agent: Receiver, http: SimpleNamespace, settings: Settings, tracking: Configure, door: str, view: str
) -> None:
    """By the graver answer."""
    settings.ROOT_URLCONF = "tests.urls_limited"
    exports = {**ONCE, "rates": ["9/m"], "store_away": view}
    site = {**ONCE, "rates": ["9/m"], "routes": ["hidden"], "store_away": door}
    tracking(STORE_URL="unix:///nowhere.sock", KINDS={}, POLICIES={"site": site, "exports": exports})

    http.get("/hidden/")

    assert told(agent, *REFUSALS) == {STORE_MISSING.name: (1, {"answer": "degraded"})}


def test_health_and_the_store_that_is_there_count_nothing_missing(agent: Receiver, http: SimpleNamespace) -> None:
    http.get("/plain/")
    http.get("/healthz")

    emit.flush()
    assert agent.total(REQUESTS) == 2
    assert told(agent, *REFUSALS) == {}


# Attempts to sign in


def attempts(agent: Receiver) -> dict[str, float]:
    emit.flush()
    found = {outcome: agent.total(AUTH_ATTEMPTS, outcome=outcome) for outcome in ("success", "failure", "refused")}
    return {outcome: number for outcome, number in found.items() if number}


@pytest.fixture
def dana(db: None) -> Any:
    return get_user_model().objects.create_user("dana", "dana@example.com", PASSWORD)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", ["/login/", "/login-async/"])
@pytest.mark.parametrize("times", [1, 3])
def test_each_failed_login_counts(agent: Receiver, http: SimpleNamespace, page: str, times: int) -> None:
    http.post(page, {"username": "dana", "password": "wrong", "times": times})

    assert attempts(agent) == {"failure": times}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("times", [1, 3])
def test_each_good_login_counts_where_no_signal_tells_of_it(
    agent: Receiver, http: SimpleNamespace, dana: Any, times: int
) -> None:
    http.post("/login/", {"username": "dana", "password": PASSWORD, "times": times})

    assert attempts(agent) == {"success": times}


@pytest.mark.django_db(transaction=True)
def test_a_good_login_that_djangos_signal_tells_of_counts_once(
    agent: Receiver, http: SimpleNamespace, settings: Settings, dana: Any
) -> None:
    settings.ROOT_URLCONF = "sentinel.urls"

    answer = http.post(
        "/api/v1/auth/token/", {"username": "dana", "password": PASSWORD}, content_type="application/json"
    )

    assert answer.status_code == 200
    assert attempts(agent) == {"success": 1}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kinds", [{"login": "login"}, {}])
def test_of_many_logins_in_one_request_those_before_the_limit_failed_and_one_is_refused(
    agent: Receiver, http: SimpleNamespace, tracking: Configure, kinds: dict[str, str]
) -> None:
    """Also on a route that is not known as one for logins, as where GraphQL has its own."""
    tracking(
        KINDS=kinds, POLICIES={"tries": {"rates": ["3/m"], "kinds": ["login"], "key": "network", "why": "for a test"}}
    )

    http.post("/login/", {"username": "dana", "password": "wrong", "times": 50})
    http.post("/login/", {"username": "dana", "password": "wrong"})

    assert attempts(agent) == {"failure": 3, "refused": 2}


@pytest.mark.django_db(transaction=True)
def test_a_login_refused_at_the_door_is_an_attempt_and_the_form_is_none(agent: Receiver, http: SimpleNamespace) -> None:
    decide("block")

    http.post("/login/", {"username": "dana", "password": "wrong"})
    http.get("/login/")
    http.post("/plain/")

    assert attempts(agent) == {"refused": 1}
    assert told(agent, BLOCKED)[BLOCKED.name][0] == 3


def test_what_is_no_login_is_no_attempt(agent: Receiver, http: SimpleNamespace) -> None:
    http.get("/plain/")
    http.get("/healthz")

    assert attempts(agent) == {}


def test_what_a_client_did_that_left_is_counted_too(agent: Receiver, tracking: Configure) -> None:
    tracking(POLICIES={"quiet": {**ONCE, "routes": ["slow-async"], "mode": "shadow"}})

    async def leave() -> None:
        for _ in range(2):
            slow_async_began.clear()  # another test may have set it
            task = asyncio.create_task(AsyncClient().get("/slow-async/"))
            assert await asyncio.to_thread(slow_async_began.wait, 30)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(leave())

    assert told(agent, *REFUSALS) == {WOULD_THROTTLE.name: (1, {"policy": "quiet", "route": "slow-async"})}
