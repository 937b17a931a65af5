"""How quick and how right the detectors are, as Datadog is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ip_tracking import cases, sweep, tasks
from ip_tracking.event import to_us
from ip_tracking.models import SuspiciousIP
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, Order
from metrics import catalogue, client, emit
from tests.dogstatsd import Receiver, udp_receiver
from tests.metrics.conftest import send_to
from tests.traffic import ATTACKER, NOON, batch, event, failed_login, finding, guessing, stored

pytestmark = pytest.mark.django_db

Configure = Callable[..., object]
Commit = Callable[..., AbstractContextManager[Any]]

RULE = "login-brute-force"
DANA = Actor(id="1", name="dana")


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with udp_receiver() as receiver:
        send_to(monkeypatch, receiver.environ)
        yield receiver
        client.close()


def told(agent: Receiver, metric: catalogue.Metric, **tags: str) -> list[float]:
    emit.flush()
    return agent.values(metric, **tags)


# How quick


def test_a_flag_tells_how_long_after_the_first_offence_and_the_crossing_request_it_came(agent: Receiver) -> None:
    crossed = to_us(NOON + timedelta(seconds=9))

    cases.file([finding(crossed_us=crossed)], now=NOON + timedelta(seconds=10.5))

    assert told(agent, catalogue.OFFENCE_TO_FLAG, rule=RULE) == [10.5]
    assert told(agent, catalogue.CROSSING_TO_FLAG, rule=RULE) == [1.5]


def test_the_crossing_request_is_the_one_that_completes_the_window(agent: Receiver) -> None:
    """The tenth of eleven failures a second apart; the first was nine seconds before."""
    tasks.store_events(*batch(*guessing(datetime.now(UTC) - timedelta(seconds=20), times=11)))

    [since_first], [since_tenth] = (
        told(agent, metric, rule=RULE) for metric in (catalogue.OFFENCE_TO_FLAG, catalogue.CROSSING_TO_FLAG)
    )
    assert since_first - since_tenth == pytest.approx(9, abs=0.01)
    assert 11 <= since_tenth < 15


def test_a_finding_that_grows_is_no_new_flag(agent: Receiver) -> None:
    cases.file([finding()], now=NOON)
    cases.file([finding(count=12)], now=NOON)

    assert len(told(agent, catalogue.OFFENCE_TO_FLAG)) == 1


def test_a_rule_of_the_sweep_knows_no_crossing_request(agent: Receiver) -> None:
    stored(*[failed_login(NOON, f"10.0.{number}.7") for number in range(10)])

    sweep.run(NOON + timedelta(hours=1, minutes=5))

    assert told(agent, catalogue.OFFENCE_TO_FLAG, rule="distributed-login") == [3_900] * 10
    assert told(agent, catalogue.CROSSING_TO_FLAG) == []


def test_a_log_file_says_nothing_of_how_quick_we_are(agent: Receiver) -> None:
    cases.file([finding(crossed_us=1)], source="access.log", now=NOON)

    assert told(agent, catalogue.OFFENCE_TO_FLAG) == told(agent, catalogue.CROSSING_TO_FLAG) == []


def test_a_store_whose_clock_is_ahead_makes_no_flag_come_before_its_offence(agent: Receiver) -> None:
    cases.file([finding()], now=NOON - timedelta(seconds=1))

    assert told(agent, catalogue.OFFENCE_TO_FLAG) == [0]


@pytest.mark.parametrize("enforce", ["throttle", "block"])
def test_a_decision_tells_how_long_after_the_crossing_request_it_came(
    agent: Receiver, tracking: Configure, django_capture_on_commit_callbacks: Commit, enforce: str
) -> None:
    tracking(ENFORCE=enforce)
    later = finding("probing", crossed_us=to_us(NOON + timedelta(seconds=8)))

    with django_capture_on_commit_callbacks(execute=True):
        cases.file([finding(crossed_us=to_us(NOON)), later], now=NOON + timedelta(seconds=10))

    assert told(agent, catalogue.CROSSING_TO_BLOCK) == told(agent, catalogue.CROSSING_TO_BLOCK, rule=RULE) == [10]


def test_where_detectors_only_file_there_is_no_time_to_a_block(agent: Receiver, tracking: Configure) -> None:
    tracking(ENFORCE="cases")

    cases.file([finding(crossed_us=1)], now=NOON)

    assert told(agent, catalogue.CROSSING_TO_BLOCK) == []


# How far


def test_detectors_tell_how_many_rows_they_looked_at(agent: Receiver) -> None:
    tasks.store_events(*batch(*guessing(times=4), *[event(NOON) for _ in range(3)]))
    sweep.run(NOON + timedelta(hours=1))

    assert told(agent, catalogue.ROWS_SCANNED, detector="hourly") == [7]
    assert told(agent, catalogue.ROWS_SCANNED, detector="bursts")[0] == 4


# How right


def case_of(*findings: Any) -> SuspiciousIP:
    cases.file(findings, now=NOON)
    return SuspiciousIP.objects.get(network=ATTACKER)


def decide(order: Order, case: SuspiciousIP, *, after_h: int) -> None:
    apply(order, {case.pk: None}, actor=DANA, now=NOON + timedelta(hours=after_h))


FALSE = Order(Action.JUDGE, "Our own monitor", verdict="false_positive")


def released(agent: Receiver, action: Action) -> dict[str, float]:
    emit.flush()
    samples = agent.samples(catalogue.RELEASES, action=action.value)
    return {sample.tags["rule"]: sum(sample.values) for sample in samples}


@pytest.mark.parametrize("order", [Order(Action.UNBLOCK, "A customer called"), FALSE, replace(FALSE, verdict="benign")])
def test_a_person_who_overrules_a_detector_is_counted_by_rule(
    agent: Receiver, django_capture_on_commit_callbacks: Commit, order: Order
) -> None:
    case = case_of(finding(), finding(first=NOON + timedelta(hours=1)), finding("probing"))

    with django_capture_on_commit_callbacks(execute=True):
        decide(order, case, after_h=2)

    assert released(agent, order.action) == {RULE: 2, "probing": 1}


@pytest.mark.parametrize(
    "order", [Order(Action.BLOCK, "A stranger", hours=1), replace(FALSE, verdict="testing"), Order(Action.SNOOZE)]
)
def test_who_does_not_say_that_it_was_wrong_releases_nothing(
    agent: Receiver, django_capture_on_commit_callbacks: Commit, order: Order
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        decide(order, case_of(finding()), after_h=0)

    assert told(agent, catalogue.RELEASES) == []


def test_a_finding_is_overruled_once(agent: Receiver, django_capture_on_commit_callbacks: Commit) -> None:
    """Unblocked, judged benign an hour later: but one mistake. What is found after that is another."""
    case = case_of(finding())
    with django_capture_on_commit_callbacks(execute=True):
        decide(Order(Action.UNBLOCK, "A customer called"), case, after_h=1)
        decide(FALSE, case, after_h=2)
    assert released(agent, Action.JUDGE) == {}

    case_of(finding("probing", first=NOON + timedelta(hours=3)))
    with django_capture_on_commit_callbacks(execute=True):
        decide(FALSE, case, after_h=4)

    assert released(agent, Action.JUDGE) == {"probing": 1}
