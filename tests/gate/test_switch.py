"""One switch for the whole gate: the setting, a person's turn of it for some hours, and what each mode does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest
from django.test import AsyncClient, Client

from ip_tracking import cases, tasks
from ip_tracking.event import US
from ip_tracking.gate import decisions, store, switch
from ip_tracking.gate.plan import limit_of
from ip_tracking.gate.verdict import PASSED, Quota, Verdict
from ip_tracking.models import Decision, GateSwitch
from ip_tracking.record import buffer
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import NotPossible
from ip_tracking.review.switch import turn
from metrics import client as metrics_client
from metrics import emit
from metrics.catalogue import GATE_MODE_CHANGES
from tests.dogstatsd import udp_receiver
from tests.gate.conftest import policy
from tests.metrics.conftest import send_to
from tests.traffic import finding

pytestmark = pytest.mark.django_db(transaction=True)

Configure = Callable[..., object]

HOUR = timedelta(hours=1)
DANA = Actor(id="1", name="dana")
WHY = "checkout answers 429 to everybody"
OFF, SHADOW, ON = GateSwitch.Mode.OFF, GateSwitch.Mode.SHADOW, GateSwitch.Mode.ON

LOCAL = "127.0.0.1"


def turned(mode: GateSwitch.Mode, now: datetime, hours: int | None = 1) -> GateSwitch:
    """Somebody turns the switch, and this process looks."""
    row = turn(mode, None if mode == ON else hours, actor=DANA, reason=WHY, now=now)
    switch.refresh(now)
    return row


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


# Which mode holds


@pytest.mark.parametrize("mode", ["enforce", "shadow", "off"])
def test_the_setting_holds_while_nobody_turned_the_switch(tracking: Configure, mode: str) -> None:
    tracking(MODE=mode)
    switch.refresh()

    assert switch.mode() == mode


def test_a_turn_holds_over_the_setting_and_ends_by_itself(now: datetime) -> None:
    turned(OFF, now)

    assert [switch.mode(now + passed) for passed in (0 * HOUR, HOUR / 2, HOUR)] == ["off", "off", "enforce"]


def test_on_ends_it_before_its_time(now: datetime) -> None:
    turned(OFF, now, hours=24)

    turned(ON, now)

    assert switch.mode(now) == "enforce"


def test_on_is_whatever_the_setting_says(tracking: Configure, now: datetime) -> None:
    tracking(MODE="shadow")
    turned(OFF, now)

    turned(ON, now)

    assert switch.mode(now) == "shadow"


def test_what_a_later_turn_took_the_place_of_never_comes_back(now: datetime) -> None:
    """Who said "shadow, for an hour" after "off, for a day" did not mean off again after that hour."""
    turned(OFF, now, hours=24)
    turned(SHADOW, now)
    switch.refresh(now + 2 * HOUR)

    assert switch.mode(now + 2 * HOUR) == "enforce"


def test_a_turn_is_seen_while_the_store_is_away(tracking: Configure, now: datetime) -> None:
    """That is likely the very day it is needed."""
    tracking(STORE_URL="unix:///nowhere.sock")
    turn(OFF, 1, actor=DANA, reason=WHY, now=now)

    tasks.refresh_decisions()

    assert switch.mode() == "off"


@pytest.mark.parametrize("hours", [25, 24 * 7, None])
def test_for_longer_than_a_day_it_is_a_setting(now: datetime, hours: int | None) -> None:
    with pytest.raises(NotPossible, match="24h at most; for longer set"):
        turn(OFF, hours, actor=DANA, reason=WHY, now=now)

    assert not GateSwitch.objects.exists()


def test_a_turn_needs_a_reason_and_is_never_changed(now: datetime) -> None:
    with pytest.raises(NotPossible, match="reason"):
        turn(OFF, 1, actor=DANA, reason="so", now=now)
    row = turn(OFF, 1, actor=DANA, reason=WHY, now=now)

    with pytest.raises(TypeError, match="never changed"):
        row.save()
    with pytest.raises(TypeError, match="never changed"):
        row.delete()


def test_each_process_says_once_that_the_mode_changed(
    now: datetime, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with udp_receiver() as agent, caplog.at_level(logging.WARNING, "ip_tracking.gate.switch"):
        send_to(monkeypatch, agent.environ)
        switch.refresh(now)

        turned(OFF, now)
        switch.refresh(now + HOUR / 2)
        switch.refresh(now + HOUR)
        switch.refresh(now + HOUR)
        emit.flush()

        off, enforcing = (record.getMessage() for record in caplog.records)
        assert off == f"The gate is off until {now + HOUR:%H:%M} UTC (dana: {WHY})."
        assert enforcing == "The gate enforces, as IP_TRACKING['MODE'] says."
        assert agent.total(GATE_MODE_CHANGES, mode="off") == 1
        assert agent.total(GATE_MODE_CHANGES, mode="enforce") == 1
        metrics_client.close()


def test_a_reason_is_made_safe_to_look_at(now: datetime) -> None:
    row = turn(OFF, 1, actor=Actor(id="", name="a\x1b[2J"), reason="rea\nson", now=now)

    assert "(a\\x1b[2J: rea\\x0ason)" in switch.sentence(row)


# What a verdict becomes


def refused(by: str) -> Verdict:
    one = policy("5/m")
    quota = Quota(limit_of(one, one.rates[0]), key="{n:a}:test", used=5, wait_us=30 * US, leave_us=0, slot=12)
    return Verdict(by, 30, (quota,), 7)


@pytest.mark.parametrize("by", ["site", "block", "throttle"])
def test_in_shadow_a_refusal_passes_and_says_what_it_was(now: datetime, by: str) -> None:
    turned(SHADOW, now)

    verdict = switch.bind(refused(by))

    assert (verdict.refused, verdict.retry_after_s, verdict.shadowed, verdict.now_us) == ("", 0, (by,), 7)


def test_in_shadow_a_refused_request_has_no_place_to_give_back(now: datetime) -> None:
    """Its places were given back when it was refused; a second time they would be somebody else's."""
    turned(SHADOW, now)

    assert [quota.slot for quota in switch.bind(refused("site")).quotas] == [0]


def test_who_enforces_refuses_and_who_passed_passes(now: datetime) -> None:
    verdict = refused("site")

    assert switch.bind(verdict) is verdict
    turned(SHADOW, now)
    assert switch.bind(PASSED) is PASSED


# At the door

SITE = {"rates": ["2/m"], "key": "caller", "why": "for a test"}
LOGIN = {"rates": ["2/m"], "kinds": ["login"], "key": "network", "counts": "failures", "why": "for a test"}


def known_caller(request: HttpRequest) -> str | None:
    return request.META.get("HTTP_X_TEST_USER")


@pytest.fixture
def door(settings: Any, tracking: Configure) -> None:
    settings.ROOT_URLCONF = "tests.urls_door"
    kinds = {"login": "login", "login-async": "login", "healthz": "health"}
    policies = {"site": SITE, "login": LOGIN, "login-hourly": None}
    tracking(KINDS=kinds, POLICIES=policies, KNOWN_CALLER="tests.gate.test_switch.known_caller", OUTCOMES={})


@pytest.fixture(params=["sync", "async"])
def http(request: pytest.FixtureRequest, door: None) -> SimpleNamespace:
    if request.param == "sync":
        client = Client()
        return SimpleNamespace(get=client.get, post=client.post)
    async_client = AsyncClient()
    return SimpleNamespace(get=async_to_sync(async_client.get), post=async_to_sync(async_client.post))


def decide(kind: str, network: str, now: datetime) -> None:
    decisions.decide(kind, network, until=now + HOUR, reason=WHY, actor="dana", by_person=True, now=now)
    decisions.refresh(now)


def keys() -> int:
    return len(store.get().client.keys("*:{*}:*"))


def test_off_counts_nobody_refuses_nobody_and_tells_no_limits(http: SimpleNamespace, now: datetime) -> None:
    turned(OFF, now)

    answers = [http.get("/plain/") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert not {"RateLimit", "RateLimit-Policy", "Retry-After"} & set(answers[-1].headers)
    assert keys() == 0


@pytest.mark.parametrize("mode", [OFF, SHADOW])
@pytest.mark.parametrize("kind", ["block", "throttle"])
@pytest.mark.parametrize("network", [LOCAL, "127.0.0.0/24"])
def test_off_and_shadow_let_those_pass_against_whom_a_decision_stands(
    http: SimpleNamespace, now: datetime, mode: GateSwitch.Mode, kind: str, network: str
) -> None:
    decide(kind, network, now)
    turned(mode, now)

    passed = http.get("/plain/").status_code
    turned(ON, now)

    assert passed == 200
    assert http.get("/plain/").status_code in {403, 429}


@pytest.mark.parametrize("mode", [OFF, SHADOW])
def test_off_and_shadow_refuse_no_login(http: SimpleNamespace, now: datetime, mode: GateSwitch.Mode) -> None:
    turned(mode, now)

    statuses = [http.post("/login/", {"username": "ada", "password": "x"}).status_code for _ in range(4)]

    assert statuses == [401] * 4
    assert {event.account for event in buffer.take()} != {""}


def test_off_counts_no_login_and_tells_no_limits_of_it(http: SimpleNamespace, now: datetime) -> None:
    turned(OFF, now)

    answer = http.post("/login/", {"username": "ada", "password": "x"})

    assert "RateLimit" not in answer.headers
    assert keys() == 0


def test_shadow_counts_as_ever_so_that_it_tells_the_truth(http: SimpleNamespace, now: datetime) -> None:
    turned(SHADOW, now)
    statuses = [http.get("/plain/").status_code for _ in range(4)]
    last = http.get("/plain/")

    turned(ON, now)

    assert statuses == [200] * 4
    assert last["RateLimit"].startswith('"site";r=0')
    assert "Retry-After" not in last.headers
    assert http.get("/plain/").status_code == 429


@pytest.mark.parametrize("mode", [OFF, SHADOW])
def test_requests_are_recorded_as_what_they_were(http: SimpleNamespace, now: datetime, mode: GateSwitch.Mode) -> None:
    turned(mode, now)
    for _ in range(3):
        http.get("/plain/", headers={"X-Test-User": "42"})

    events = buffer.take()

    assert [(event.status, event.user, event.refused) for event in events] == [(200, "42", "")] * 3


@pytest.mark.parametrize("mode", [OFF, SHADOW])
def test_detectors_go_on_deciding_for_when_it_is_on_again(
    tracking: Configure, now: datetime, mode: GateSwitch.Mode
) -> None:
    tracking(ENFORCE="block", MODE=mode.value)

    cases.file([finding(first=now)], now=now)

    assert Decision.objects.get().kind == "block"
