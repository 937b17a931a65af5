"""What explains a change in the numbers reaches the Agent as an event: once, and nothing of a person or an address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction

from ip_tracking import second_look
from ip_tracking.models import GateSwitch
from ip_tracking.review import networks
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, Order
from ip_tracking.review.switch import turn
from ip_tracking.review.undo import undo
from metrics import client, emit
from tests.dogstatsd import Event, Receiver, udp_receiver
from tests.metrics.conftest import send_to
from tests.review.conftest import file
from tests.traffic import ATTACKER, NOON, finding

pytestmark = pytest.mark.django_db(transaction=True)

DANA = Actor(id="7", name="dana", network="192.0.2.10", via="admin")
WHY = "Card testing since noon"
BLOCK, UNBLOCK = Order(Action.BLOCK, WHY, hours=24), Order(Action.UNBLOCK, WHY)


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with udp_receiver() as receiver:
        send_to(monkeypatch, receiver.environ)
        yield receiver
        client.close()


def told(agent: Receiver) -> list[Event]:
    emit.flush()
    return [message for message in agent.read() if isinstance(message, Event)]


def test_a_block_of_two_cases_is_told_as_one(agent: Receiver) -> None:
    cases = [file(finding()), file(finding(network="198.51.100.4"))]

    apply(BLOCK, {case.pk: None for case in cases}, actor=DANA, now=NOON)

    first, second = told(agent)
    assert first.title == "Staff blocked a network"
    assert first.text == f"Case {cases[0].pk}, by way of the admin, until 2026-03-03 12:00 UTC."
    assert first.tags == {"event": "decision", "action": "block"}
    assert first.key == second.key


@pytest.mark.parametrize(("order", "action"), [(UNBLOCK, "unblock"), (Order(Action.ALLOW, WHY, hours=1), "allow")])
def test_what_else_is_decided_about_a_case_is_told(agent: Receiver, order: Order, action: str) -> None:
    apply(order, {file(finding()).pk: None}, actor=DANA, now=NOON)

    assert [event.tags["action"] for event in told(agent)] == [action]


def test_what_decides_nothing_is_not_told(agent: Receiver) -> None:
    case = file(finding())
    for order in (
        Order(Action.COMMENT, WHY),
        Order(Action.SNOOZE, hours=1),
        Order(Action.JUDGE, WHY, verdict="benign"),
    ):
        result = apply(order, {case.pk: None}, actor=DANA, now=NOON)
    undo(result.batch, actor=DANA, now=NOON)

    assert told(agent) == []


def test_a_block_that_is_taken_back_is_told(agent: Receiver) -> None:
    result = apply(BLOCK, {file(finding()).pk: None}, actor=DANA, now=NOON)

    undo(result.batch, actor=DANA, now=NOON + timedelta(minutes=1))

    assert [event.tags["action"] for event in told(agent)] == ["block", "undo"]


def test_decisions_without_a_case_are_told(agent: Receiver) -> None:
    actor = Actor(id="", name="dana", via="command")
    networks.decide("throttle", {"198.51.100.9": 1}, actor=actor, reason=WHY, now=NOON)
    networks.lift(["198.51.100.9", "198.51.100.10"], actor=actor, reason=WHY, now=NOON)

    first, second = told(agent)
    assert (first.tags["action"], first.text) == (
        "throttle",
        "No case, by way of the command, until 2026-03-02 13:00 UTC.",
    )
    assert (second.tags["action"], second.text) == ("unblock", "No case, by way of the command.")


def test_a_network_with_a_case_is_told_once_where_it_is_named(agent: Receiver) -> None:
    case = file(finding())
    networks.decide("block", {ATTACKER: 1}, actor=DANA, reason=WHY, now=NOON)
    networks.lift([ATTACKER], actor=DANA, reason=WHY, now=NOON)

    assert [(event.tags["action"], event.text.split(",")[0]) for event in told(agent)] == [
        ("block", f"Case {case.pk}"),
        ("unblock", f"Case {case.pk}"),
    ]


def test_what_was_rolled_back_is_not_told(agent: Receiver) -> None:
    case = file(finding())
    with transaction.atomic():
        apply(BLOCK, {case.pk: None}, actor=DANA, now=NOON)
        turn(GateSwitch.Mode.OFF, 1, actor=DANA, reason=WHY, now=NOON)
        transaction.set_rollback(True)

    assert told(agent) == []


def test_no_event_names_a_network_or_a_person(agent: Receiver) -> None:
    apply(BLOCK, {file(finding()).pk: None}, actor=DANA, now=NOON)
    networks.decide("block", {"198.51.100.9": 1}, actor=DANA, reason=WHY, now=NOON)
    turn(GateSwitch.Mode.OFF, 1, actor=DANA, reason="checkout answers 429", now=NOON)

    assert len(told(agent)) == 3
    for secret in (ATTACKER, "198.51.100.9", "192.0.2.10", "dana", WHY):
        assert secret.encode() not in agent.raw


@pytest.mark.parametrize(
    ("mode", "hours", "found", "until"),
    [
        (GateSwitch.Mode.OFF, 2, "off", " until 2026-03-02 14:00 UTC"),
        (GateSwitch.Mode.SHADOW, 1, "shadow", " until 2026-03-02 13:00 UTC"),
        (GateSwitch.Mode.ON, None, "enforce", ""),
    ],
)
def test_a_turn_of_the_switch_is_told_with_the_mode_that_holds(
    agent: Receiver, mode: GateSwitch.Mode, hours: int | None, found: str, until: str
) -> None:
    turn(mode, hours, actor=DANA, reason="checkout answers 429", now=NOON)

    (event,) = told(agent)
    assert (event.title, event.text) == (f"The gate is set to {found}", f"checkout answers 429{until}")
    assert event.tags == {"event": "gate_switched", "mode": found}


def test_other_rules_are_told_once_and_the_first_ones_are_not(agent: Receiver) -> None:
    for rules in ("first", "first", "second", "second"):
        second_look.at_changed_rules(NOON, rules)

    (event,) = told(agent)
    assert event.tags == {"event": "rules_changed"}
    assert event.key == "rules-second"
