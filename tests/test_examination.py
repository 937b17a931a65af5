"""Whoever goes on although a limit refuses it: found, at little cost, whatever the order of the batches."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ip_tracking import tasks
from ip_tracking.detection import bursts
from ip_tracking.detection.bursts import READ_BACK
from ip_tracking.detection.rules import RULES
from ip_tracking.detection.symptoms import REFUSED_BY_POLICY, symptoms_of
from ip_tracking.event import Event, to_us
from ip_tracking.models import CaseFinding, Decision, RequestLog, SuspiciousIP
from tests.traffic import ATTACKER, NOON, batch, event, guessing

pytestmark = pytest.mark.django_db

Configure = Callable[..., object]


def refused(times: int, at: datetime = NOON, every_s: float = 1.0, by: str = "site", **fields: Any) -> list[Event]:
    """As a client sends that repeats its request whatever the answer is."""
    values = {"refused": by, "status": 403 if by == "block" else 429} | fields
    return [event(at + timedelta(seconds=every_s * number), **values) for number in range(times)]


def send(*events: Event) -> None:
    tasks.store_events(*batch(*events))


def counts() -> dict[str, int]:
    return dict(CaseFinding.objects.values_list("rule", "count"))


def test_three_hundred_refusals_in_ten_minutes_make_a_case_that_only_files(tracking: Configure) -> None:
    tracking(ENFORCE="block")

    send(*refused(299, every_s=2))
    before = SuspiciousIP.objects.exists()
    send(*refused(1, NOON + timedelta(seconds=598)))

    assert not before
    assert counts() == {"keeps-hammering": 300}
    assert SuspiciousIP.objects.get().severity == "medium"
    assert not Decision.objects.exists()


def test_who_waits_as_told_is_never_found() -> None:
    """A page of twenty requests at once, each time the minute of Retry-After has passed, for three hours."""
    for minute in range(180):
        send(*refused(20, NOON + timedelta(minutes=minute), every_s=0.01))

    assert not SuspiciousIP.objects.exists()


@pytest.mark.parametrize("by", ["block", "throttle"])
def test_what_a_decision_refuses_feeds_nothing(tracking: Configure, by: str) -> None:
    """Or a ban would extend itself for as long as the banned one asks whether it is over."""
    tracking(ENFORCE="block")

    send(*refused(3_000, every_s=0.1, by=by))

    assert RequestLog.objects.exclude(symptoms="").count() == 0
    assert not SuspiciousIP.objects.exists()


def test_a_flood_of_refusals_hides_no_attack() -> None:
    send(*refused(READ_BACK + 500, every_s=0.01))

    send(*guessing(NOON + timedelta(minutes=10)))

    assert counts()["login-brute-force"] == 10


def test_an_attack_hides_no_flood_of_refusals() -> None:
    send(*guessing(times=READ_BACK + 100))

    send(*refused(300, NOON + timedelta(minutes=40)))

    assert counts()["keeps-hammering"] == 300


@pytest.mark.parametrize("seed", range(4))
def test_findings_depend_on_the_events_alone(seed: int) -> None:
    """Across a full hour, in batches of any size and order, some delivered twice, among others' and other symptoms."""
    chance = random.Random(seed)
    hammering = refused(900, NOON - timedelta(minutes=8), every_s=1.5) + refused(400, NOON + timedelta(minutes=45))
    below = refused(280, NOON - timedelta(minutes=5), every_s=2, network="198.51.100.4")
    events = [*hammering, *below, *guessing(NOON + timedelta(minutes=1))]

    for batch_id, message in in_batches(chance, events):
        tasks.store_events(batch_id, message)

    at_once = bursts.find([one._replace(symptoms=symptoms_of(one)) for one in events], RULES)
    expected = {(f.network, f.rule, f.hour_us, f.count, f.first_seen_us, f.last_seen_us) for f in at_once}
    rows = CaseFinding.objects.values_list("case__network", "rule", "hour", "count", "first_seen", "last_seen")
    assert {(n, rule, to_us(hour), count, to_us(a), to_us(b)) for n, rule, hour, count, a, b in rows} == expected
    assert [rule for _, rule, *_ in expected].count("keeps-hammering") == 2


def in_batches(chance: random.Random, events: list[Event]) -> list[tuple[str, Any]]:
    left, batches = list(events), []
    chance.shuffle(left)
    while left:
        size = chance.randrange(1, 200)
        batches.append(batch(*left[:size]))
        left = left[size:]
    batches += chance.sample(batches, len(batches) // 3)
    return batches


def queries_of_the_log(*events: Event) -> int:
    with CaptureQueriesContext(connection) as captured:
        send(*events)
    return sum('FROM "ip_tracking_requestlog"' in query["sql"] for query in captured)


def test_a_flood_costs_little_once_what_is_looked_at_is_full() -> None:
    """That is when workers are busiest. Nothing is read back: two looks at one place of the index each."""
    send(*refused(READ_BACK, every_s=0.01))
    found = counts()

    queries = queries_of_the_log(*refused(1_000, NOON + timedelta(seconds=30), every_s=0.01))

    assert queries == 2
    assert counts() == found == {"keeps-hammering": READ_BACK}


def test_a_network_that_is_refused_now_and_then_costs_one_short_query() -> None:
    assert queries_of_the_log(*refused(20), *refused(20, network="198.51.100.4")) == 2


def test_evidence_shows_what_was_refused() -> None:
    send(*refused(300))

    [finding] = CaseFinding.objects.filter(case__network=ATTACKER)
    assert [shown["status"] for shown in finding.evidence] == [429] * 10
    assert {shown["symptoms"] for shown in finding.evidence} == {REFUSED_BY_POLICY}
