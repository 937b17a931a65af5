"""What is past its time goes, and nothing else; nobody who writes meanwhile waits for it."""

from __future__ import annotations

import io
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction
from django_celery_beat.models import PeriodicTask

from ip_tracking import cases, conf, retention, tasks
from ip_tracking.gate import decisions
from ip_tracking.models import Batch, CaseFinding, RequestLog, ReviewAction, ReviewText, SuspiciousIP
from ip_tracking.record import partitions
from ip_tracking.review import record
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, Order
from metrics import emit
from metrics.catalogue import RETENTION_REMOVED
from sentinel.apps import install_schedule
from tests.e2e.processes import wait_until
from tests.record.conftest import agent  # noqa: F401 - a fixture
from tests.record.test_partitions import in_threads
from tests.traffic import ATTACKER, NOON, event, finding, stored

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL has partitions")

DAY = timedelta(days=1)
DANA = Actor(id="7", name="dana")


def removed(now: datetime = NOON, **how: Any) -> dict[str, int]:
    return {kind: number for kind, number in retention.run(now, **how) if number}


def due(now: datetime = NOON) -> dict[str, int]:
    return {kind: number for kind, number in retention.due(now) if number}


def logged(*ages: int) -> None:
    for age in ages:
        stored(event(NOON - age * DAY), at=NOON - age * DAY)


def ages() -> list[int]:
    return sorted((NOON - at).days for at in RequestLog.objects.values_list("at", flat=True))


def tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(r"SELECT relname FROM pg_class WHERE relname ~ '^ip_tracking_requestlog_\d+$' AND relkind = 'r'")
        return {name.rpartition("_")[2] for (name,) in cursor.fetchall()}


@pytest.fixture(autouse=True)
def _no_days_of_other_tests(django_db_setup: None, transactional_db: None) -> None:
    if connection.vendor == "postgresql":
        for day in partitions.before(date(2100, 1, 1)):
            partitions.drop(day)


# The request log


def test_the_log_is_kept_for_its_days_and_the_day_under_way() -> None:
    logged(0, 29, 30, 31, 45)

    removed()

    assert ages() == [0, 29, 30]
    assert Batch.objects.count() == 3


def test_a_dry_run_says_what_a_run_does_and_removes_nothing() -> None:
    logged(1, 31, 45)

    would = due()

    assert ages() == [1, 31, 45]
    assert would == removed()
    assert due() == {}


def test_how_long_is_a_setting(tracking: Any) -> None:
    tracking(KEEP_LOG_DAYS=2)
    logged(1, 2, 3)

    removed()

    assert ages() == [1, 2]


@on_postgresql
def test_whole_days_are_dropped_as_tables() -> None:
    logged(0, 31, 32)

    assert removed()["log_days"] == 2
    assert tables() == {NOON.strftime("%Y%m%d")}


@on_postgresql
def test_a_day_is_dropped_while_others_write_and_they_do_not_wait() -> None:
    logged(0, 31)
    writing, done = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            stored(event(kind="health"))  # else they wait for each other at the hour's sum
            writing.set()
            assert done.wait(10)

    def drop() -> None:
        """Waits for the one who writes: a third writes meanwhile."""
        assert writing.wait(10)
        removed()

    def write_meanwhile() -> None:
        assert writing.wait(10)
        wait_until_detaching()
        stored(event())
        done.set()

    assert in_threads(write, drop, write_meanwhile) == []
    assert tables() == {NOON.strftime("%Y%m%d")}
    assert RequestLog.objects.count() == 3


def wait_until_detaching() -> None:
    wait_until(lambda: asked("SELECT EXISTS (SELECT FROM pg_inherits WHERE inhdetachpending)"), "a day half detached")


def asked(question: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return bool(cursor.fetchone()[0])


@on_postgresql
@pytest.mark.parametrize("killed_after", ["mark", "first half", "detach"])
def test_a_run_that_was_killed_is_finished_by_the_next(killed_after: str) -> None:
    logged(0, 31)
    day = (NOON - 31 * DAY).date()
    name = partitions.name_of(day)
    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON TABLE {name} IS %s", [partitions.DOOMED])
        if killed_after == "first half":
            half_detach(name)
        if killed_after == "detach":
            cursor.execute(f"ALTER TABLE ip_tracking_requestlog DETACH PARTITION {name}")

    assert due()["log_days"] == 1
    assert removed()["log_days"] == 1
    assert tables() == {NOON.strftime("%Y%m%d")}


def half_detach(name: str) -> None:
    """A reader who does not end, and a detacher who loses patience."""
    begun, over = threading.Event(), threading.Event()

    def read() -> None:
        with transaction.atomic():
            RequestLog.objects.count()
            begun.set()
            assert over.wait(10)

    def detach() -> None:
        assert begun.wait(10)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = '300ms'")
                cursor.execute(f"ALTER TABLE ip_tracking_requestlog DETACH PARTITION {name} CONCURRENTLY")
        finally:
            over.set()

    [error] = in_threads(read, detach)
    assert "statement timeout" in str(error)


@on_postgresql
def test_a_day_that_somebody_reads_for_long_is_left_to_the_next_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(partitions, "LONGEST_WAIT", "300ms")
    logged(0, 31)
    begun, over = threading.Event(), threading.Event()

    def read() -> None:
        with transaction.atomic():
            RequestLog.objects.count()
            begun.set()
            assert over.wait(10)

    def drop() -> None:
        assert begun.wait(10)
        try:
            assert "log_days" not in removed()
            with connection.cursor() as cursor:
                cursor.execute("SHOW statement_timeout")
                assert cursor.fetchone() == ("0",)
        finally:
            over.set()

    assert in_threads(read, drop) == []
    assert "could not be dropped" in caplog.text
    assert removed()["log_days"] == 1
    assert ages() == [0]


@on_postgresql
def test_a_late_batch_of_a_day_that_is_just_detached_is_stored() -> None:
    logged(31)
    name = partitions.name_of((NOON - 31 * DAY).date())
    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON TABLE {name} IS %s", [partitions.DOOMED])
        cursor.execute(f"ALTER TABLE ip_tracking_requestlog DETACH PARTITION {name}")

    logged(31)

    assert ages() == [31]


@on_postgresql
def test_a_day_that_somebody_else_detached_is_theirs() -> None:
    logged(31)
    name = partitions.name_of((NOON - 31 * DAY).date())
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE ip_tracking_requestlog DETACH PARTITION {name}")
    try:
        assert "log_days" not in removed()
        with pytest.raises(ProgrammingError, match="already exists"):
            logged(31)
        assert tables() == {name.rpartition("_")[2]}
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {name}")


@on_postgresql
def test_two_runs_at_once_are_harmless() -> None:
    logged(0, 31, 32, 33, 34)
    start = threading.Barrier(3)

    def work() -> None:
        start.wait()
        removed()

    assert in_threads(*[work] * 3) == []
    removed()
    assert ages() == [0]


# Evidence, cases, texts, decisions


def case_of(network: str = ATTACKER, age: int = 0) -> SuspiciousIP:
    cases.file([finding(network=network, first=NOON - age * DAY)], now=NOON - age * DAY)
    return SuspiciousIP.objects.get(network=network)


def close(case: SuspiciousIP, age: int, reason: str = "Card testing") -> None:
    order = Order(Action.JUDGE, reason, verdict="malicious")
    apply(order, {case.pk: None}, actor=DANA, now=NOON - age * DAY)


def test_evidence_goes_after_half_a_year_and_the_finding_stays() -> None:
    case_of("198.51.100.1", age=181)
    case_of("198.51.100.2", age=179)

    assert removed() == {"evidence": 1}

    old, young = CaseFinding.objects.order_by("case__network")
    assert (old.evidence, old.count, old.rule) == ([], 10, "login-brute-force")
    assert young.evidence
    assert due() == {}


def test_a_closed_case_goes_after_two_years_with_its_texts_and_the_record_stays() -> None:
    old = case_of(age=732)
    close(old, 731)
    apply(Order(Action.COMMENT, "still of interest"), {old.pk: None}, actor=DANA, now=NOON - DAY)

    assert removed()["cases"] == 1

    assert not SuspiciousIP.objects.exists()
    assert not CaseFinding.objects.exists()
    assert not ReviewText.objects.exists()
    assert {action.case_id for action in ReviewAction.objects.all()} == {old.pk}


def test_what_is_open_young_or_enforced_stays() -> None:
    case_of("198.51.100.1", age=800)
    close(case_of("198.51.100.2", age=800), 729)
    blocked = case_of("198.51.100.3", age=800)
    order = Order(Action.BLOCK, "until it stops", verdict="malicious")
    apply(order, {blocked.pk: None}, actor=DANA, now=NOON - 800 * DAY)
    came_back = case_of("198.51.100.4", age=800)
    close(came_back, 799)
    cases.file([finding(network="198.51.100.4", first=NOON - 10 * DAY)], now=NOON - 10 * DAY)
    SuspiciousIP.objects.filter(pk=came_back.pk).update(triage="closed")

    assert "cases" not in removed()
    assert SuspiciousIP.objects.count() == 4


@on_postgresql
def test_a_case_that_is_opened_at_that_moment_stays() -> None:
    """Whoever takes it up holds its row; when they are done it is no longer one to remove."""
    case = case_of(age=800)
    close(case, 799)
    begun, waiting = threading.Event(), threading.Event()

    def reopen() -> None:
        with transaction.atomic():
            apply(Order(Action.REOPEN), {case.pk: None}, actor=DANA, now=NOON)
            begun.set()
            assert waiting.wait(10)

    def remove() -> None:
        assert begun.wait(10)
        once = iter([True, False])
        kind = next(kind for kind in retention.KINDS if kind.name == "cases")
        assert retention._remove(kind, NOON, lambda: next(once)) == 0

    def watch() -> None:
        assert begun.wait(10)
        wait_until(lambda: asked("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"), "the one who removes")
        waiting.set()

    assert in_threads(reopen, remove, watch) == []
    assert SuspiciousIP.objects.get().triage == "open"
    assert ReviewText.objects.exists()


def test_texts_of_no_case_go_too() -> None:
    for age in (729, 731):
        record.write(record.Deed("export", DANA, NOON - age * DAY, uuid4(), "for the police"))
    open_case = case_of()
    record.write(record.Deed("comment", DANA, NOON - 731 * DAY, uuid4(), "an old one"), open_case)

    assert removed() == {"texts": 1}
    assert {text.action.action for text in ReviewText.objects.all()} == {"export", "comment"}
    assert ReviewAction.objects.count() == 3


def test_decisions_that_ended_long_ago_go_and_those_in_force_stay() -> None:
    then = NOON - 800 * DAY
    for last, until in ((1, then + DAY), (2, None), (3, NOON + DAY), (4, None)):
        decisions.decide("block", f"198.51.100.{last}", until=until, reason="x", actor="dana", by_person=True, now=then)
    decisions.end("198.51.100.4", then + DAY)
    decisions.copy_pending(NOON)
    decisions.Decision.objects.create(
        kind="block", network="198.51.100.3", reason="x", actor="dana", by_person=True, ended_at=then + DAY
    )  # the store does not know yet

    assert removed() == {"decisions": 2}
    assert {d.network for d in decisions.Decision.objects.all()} == {"198.51.100.2", "198.51.100.3"}


# Bounds, doors


def test_a_run_ends_when_it_is_time_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        retention, "KINDS", [retention.Kind("batches", retention._old_batches, retention._delete, at_once=2)]
    )
    logged(40, 41, 42, 43, 44)
    Batch.objects.update(stored_at=NOON - 40 * DAY)
    turns = iter([*[False] * (connection.vendor == "postgresql"), True, False])

    assert removed(go_on=lambda: next(turns)) == {"batches": 2}
    assert removed()["batches"] == 3


def test_what_went_is_counted_by_kind(agent: Any) -> None:  # noqa: F811
    case_of(age=181)

    removed()
    emit.flush()

    assert agent.total(RETENTION_REMOVED, kind="evidence") == 1


def test_beat_calls_a_task_that_removes() -> None:
    case_of()
    CaseFinding.objects.update(last_seen=datetime.now(UTC) - 181 * DAY)

    assert "1 evidence" in tasks.remove_expired()


def test_beat_calls_it_once_a_night() -> None:
    install_schedule()

    (at,) = PeriodicTask.objects.filter(task="ip_tracking.tasks.remove_expired").values(
        "crontab__hour", "crontab__minute"
    )
    assert at == {"crontab__hour": "3", "crontab__minute": "35"}


def test_the_command_says_what_goes() -> None:
    case_of()
    CaseFinding.objects.update(last_seen=datetime.now(UTC) - 181 * DAY)

    def run(*args: str) -> str:
        out = io.StringIO()
        call_command("retention", *args, stdout=out)
        return out.getvalue()

    would, did, again = run("--dry-run"), run(), run()

    assert f"{conf.get().keep_log_days} days" in would
    assert [line for line in would.splitlines() if "evidence (" in line] == [
        "         1  findings' evidence (the findings stay)"
    ]
    assert "This would go:" in would
    assert "         1  findings' evidence" in did
    assert "         0  findings' evidence" in again
