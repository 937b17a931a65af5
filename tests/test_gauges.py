"""How things stand, as one task of Beat's tells each minute; and that no other process says a gauge."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ip_tracking import cases, gauges, sweep, tasks
from ip_tracking.detection.finding import Severity
from ip_tracking.models import Batch, ReviewAction, SuspiciousIP
from ip_tracking.review.actions import Action, Order, apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.undo import undo
from metrics import catalogue, client, emit
from tests.dogstatsd import Receiver, udp_receiver
from tests.metrics.conftest import send_to
from tests.traffic import NOON, batch, event, finding

pytestmark = pytest.mark.django_db

Commit = Callable[..., AbstractContextManager[Any]]
ROOT = Path(__file__).resolve().parent.parent
DANA = Actor(id="1", name="dana")
FIRST, SECOND, THIRD = (f"198.51.100.{number}" for number in (1, 2, 3))
HOUR = timedelta(hours=1)


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with udp_receiver() as receiver:
        send_to(monkeypatch, receiver.environ)
        yield receiver
        client.close()


def told(agent: Receiver, metric: catalogue.Metric, **tags: str) -> list[float]:
    emit.flush()
    return agent.values(metric, **tags)


def file(network: str, severity: Severity = Severity.HIGH, at: datetime = NOON) -> SuspiciousIP:
    """A case that is there since `at`."""
    cases.file([finding(network=network, severity=severity, first=at, seconds=0)], now=at)
    SuspiciousIP.objects.filter(network=network).update(created_at=at)
    return SuspiciousIP.objects.get(network=network)


def do(action: Action, case: SuspiciousIP, at: datetime, **how: Any) -> None:
    apply(Order(action, "Because of this", **how), {case.pk: None}, actor=DANA, now=at)


# Detection


def test_the_age_of_the_sweep_is_told_each_minute_from_its_first_run_on(agent: Receiver) -> None:
    gauges.report(NOON)
    assert told(agent, catalogue.SWEEP_AGE) == []

    sweep.run(NOON + timedelta(minutes=5))
    gauges.report(NOON + timedelta(minutes=65))

    assert told(agent, catalogue.SWEEP_AGE) == [65 * 60]


def test_the_oldest_batch_that_nobody_examined_grows_older(agent: Receiver) -> None:
    tasks.store_events(*batch(event()))
    tasks.store_events(*batch(event()))
    gauges.report(datetime.now(UTC))
    assert told(agent, catalogue.UNEXAMINED_AGE) == [0]

    Batch.objects.update(examined_at=None, stored_at=NOON)
    gauges.report(NOON + timedelta(seconds=90))

    assert told(agent, catalogue.UNEXAMINED_AGE)[1:] == [90]


# Review


def test_cases_are_counted_by_where_they_stand_and_severity_and_those_of_which_there_is_none(agent: Receiver) -> None:
    file(FIRST)
    do(Action.SNOOZE, file(SECOND), NOON, until=NOON + HOUR)
    do(Action.JUDGE, file(THIRD, Severity.MEDIUM), NOON, verdict="benign")

    gauges.report(NOON + timedelta(minutes=1))

    assert told(agent, catalogue.CASES, status="open", severity="high") == [1]
    assert told(agent, catalogue.CASES, status="snoozed", severity="high") == [1]
    assert told(agent, catalogue.CASES, status="closed", severity="medium") == [1]
    assert len(agent.samples(catalogue.CASES)) == 3 * 4
    assert agent.total(catalogue.CASES) == 3

    gauges.report(NOON + 2 * HOUR)  # the snoozed one's time has come

    assert told(agent, catalogue.CASES, status="open", severity="high") == [1, 2]
    assert told(agent, catalogue.CASES, status="snoozed", severity="high") == [1, 0]


def test_the_oldest_case_of_each_severity_waits_since_it_came_or_came_back(agent: Receiver) -> None:
    file(FIRST, Severity.HIGH, NOON - 3 * HOUR)
    file(SECOND, Severity.HIGH, NOON - HOUR)
    back = file(THIRD, Severity.MEDIUM, NOON - 50 * HOUR)
    do(Action.JUDGE, back, NOON - 49 * HOUR, verdict="malicious")
    cases.file([finding(network=THIRD, severity=Severity.MEDIUM, first=NOON - 2 * HOUR, seconds=0)], now=NOON)

    gauges.report(NOON)

    ages = {sample.tags["severity"]: sample.values for sample in agent_samples(agent, catalogue.OLDEST_CASE)}
    assert ages == {"critical": (0,), "high": (3 * 3_600,), "medium": (2 * 3_600,), "low": (0,)}


def agent_samples(agent: Receiver, metric: catalogue.Metric) -> list[Any]:
    emit.flush()
    return agent.samples(metric)


def test_a_minute_costs_six_queries_however_many_cases_there_are() -> None:
    for number in range(1, 40):
        file(f"203.0.113.{number}")

    with CaptureQueriesContext(connection) as queries:
        tasks.report_gauges()

    assert len(queries) <= 6


def test_a_verdict_tells_how_long_the_case_had_waited(
    agent: Receiver, django_capture_on_commit_callbacks: Commit
) -> None:
    case = file(FIRST)
    with django_capture_on_commit_callbacks(execute=True):
        do(Action.ASSIGN, case, NOON + timedelta(minutes=5), assignee=None)
        do(Action.JUDGE, case, NOON + HOUR, verdict="benign")
        do(Action.JUDGE, case, NOON + 2 * HOUR, verdict="malicious")  # it waited for none

    assert told(agent, catalogue.REVIEW_DURATION, verdict="benign", severity="high") == [3_600]
    assert len(agent.samples(catalogue.REVIEW_DURATION)) == 1


def test_a_case_that_came_back_had_waited_since_then(
    agent: Receiver, django_capture_on_commit_callbacks: Commit
) -> None:
    case = file(FIRST)
    do(Action.JUDGE, case, NOON + HOUR, verdict="malicious")
    cases.file([finding(network=FIRST, first=NOON + 5 * HOUR, seconds=0)], now=NOON + 5 * HOUR)

    with django_capture_on_commit_callbacks(execute=True):
        do(Action.BLOCK, case, NOON + 6 * HOUR, verdict="malicious", hours=1)

    assert told(agent, catalogue.REVIEW_DURATION, verdict="malicious") == [3_600]


def test_what_was_taken_back_is_counted_by_what_it_was(
    agent: Receiver, django_capture_on_commit_callbacks: Commit
) -> None:
    do(Action.BLOCK, file(FIRST), NOON, hours=1)

    with django_capture_on_commit_callbacks(execute=True):
        undo(ReviewAction.objects.get().batch, actor=DANA, now=NOON + timedelta(minutes=1))

    assert told(agent, catalogue.UNDONE, action="block") == [1]


# One voice


class Calls(ast.NodeVisitor):
    """Who mentions whom: by function, the functions of our own that it calls or hands on."""

    def __init__(self, path: Path, graph: dict[str, set[str]], tasks: set[str]) -> None:
        self.module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        self.graph, self.tasks = graph, tasks
        self.names: dict[str, str] = {}
        self.inside = [self.module]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self.names[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.names[node.name] = f"{self.module}.{node.name}"
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        own = f"{self.module}.{node.name}"
        self.names.setdefault(node.name, own)
        if any("shared_task" in ast.unparse(decorator) for decorator in node.decorator_list):
            self.tasks.add(own)
        self.inside.append(own)
        self.generic_visit(node)
        self.inside.pop()

    def visit_Name(self, node: ast.Name) -> None:
        self._mention(self.names.get(node.id, f"{self.module}.{node.id}"))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        owner = self.names.get(node.value.id, "") if isinstance(node.value, ast.Name) else ""
        # A method's object is not known: any function of this module with its name may be meant.
        self._mention(f"{owner or self.module}.{node.attr}")
        self.generic_visit(node)

    def _mention(self, whom: str) -> None:
        self.graph[whom].add(self.inside[-1])


def callers() -> tuple[dict[str, set[str]], set[str]]:
    graph: dict[str, set[str]] = defaultdict(set)
    of_celery: set[str] = set()
    for app in ("ip_tracking", "metrics", "sentinel", "shop"):
        for path in sorted((ROOT / app).rglob("*.py")):
            Calls(path, graph, of_celery).visit(ast.parse(path.read_text("utf-8")))
    return graph, of_celery


def roots(name: str, graph: dict[str, set[str]], known: set[str], seen: set[str]) -> set[str]:
    """Where a call can come from: up to a task, or to what nobody calls."""
    if name in known:
        return {name}
    above = graph.get(name, set()) - {name} - seen
    if not above:
        return {name}
    return set().union(*(roots(one, graph, known, seen | above) for one in above))


def test_every_gauge_is_sent_by_a_task_that_beat_runs_and_by_nobody_else() -> None:
    """Of several processes that say one the last one heard would win: they send counts and distributions."""
    graph, of_celery = callers()
    scheduled = {entry["task"] for entry in django_settings.SCHEDULE.values()}

    found = set().union(
        *(roots(function, graph, of_celery, set()) for function in graph["metrics.emit.gauge"]),
        *(roots(function, graph, of_celery, set()) for function in graph["metrics.emit.check"]),
    )

    assert {"metrics.tasks.export_redis_stats", "ip_tracking.tasks.report_gauges"} <= found
    assert found <= scheduled
