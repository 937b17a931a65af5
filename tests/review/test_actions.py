"""What people decide: done once, with a reason, and recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from ip_tracking.gate import decisions, store
from ip_tracking.gate.limiter import decision_key
from ip_tracking.models import Decision, ReviewAction, SuspiciousIP
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, NotPossible, Order
from ip_tracking.review.rails import Result
from metrics import client as metrics_client
from metrics import emit
from metrics.catalogue import ACTIONS
from tests.dogstatsd import udp_receiver
from tests.metrics.conftest import send_to
from tests.review.conftest import file
from tests.traffic import ATTACKER, NOON, finding

pytestmark = pytest.mark.django_db

Configure = Callable[..., object]
Commit = Callable[..., AbstractContextManager[Any]]

DANA = Actor(id="7", name="dana", network="192.0.2.10", request_id="a-request")
WHY = "Card testing since noon"


def act(action: Action, *cases: SuspiciousIP, actor: Actor = DANA, reason: str = WHY, **how: Any) -> Result:
    return apply(Order(action, reason, **how), {case.pk: None for case in cases}, actor=actor, now=NOON)


def again(case: SuspiciousIP) -> SuspiciousIP:
    case.refresh_from_db()
    return case


def in_store(network: str = ATTACKER) -> bytes | None:
    return store.get().client.get(decision_key(network))


UNTOUCHED = {
    "triage": "open", "verdict": "", "judged_at": None, "assignee": None, "snoozed_until": None, "snoozed_score": None,
    "spared_until": None, "enforcement": "none", "enforced_until": None, "version": 1,
}  # fmt: skip


# What each does


def test_a_block_with_a_verdict_stands_for_its_hours_and_closes_the_case(
    django_capture_on_commit_callbacks: Commit,
) -> None:
    case = file(finding())

    with django_capture_on_commit_callbacks(execute=True):
        result = act(Action.BLOCK, case, hours=24, verdict="malicious")

    until = NOON + timedelta(hours=24)
    decision = Decision.objects.get()
    assert result.done == [case]
    assert (decision.kind, decision.network, decision.until) == ("block", ATTACKER, until)
    assert (decision.actor, decision.by_person, decision.reason) == ("dana", True, WHY)
    assert (again(case).enforcement, case.enforced_until, case.triage, case.verdict) == (
        "block", until, "closed", "malicious",
    )  # fmt: skip
    assert case.judged_at == NOON


def test_a_block_for_good_stands_until_somebody_ends_it(django_capture_on_commit_callbacks: Commit) -> None:
    case = file(finding())

    with django_capture_on_commit_callbacks(execute=True):
        act(Action.BLOCK, case, hours=None)

    assert in_store() == b"block"
    assert store.get().client.pttl(decision_key(ATTACKER)) == -1
    assert again(case).enforced_until is None


def test_an_unblocked_network_passes_and_is_spared_for_a_day(django_capture_on_commit_callbacks: Commit) -> None:
    case = file(finding())
    act(Action.BLOCK, case, hours=None)

    with django_capture_on_commit_callbacks(execute=True):
        act(Action.UNBLOCK, case)

    assert in_store() is None
    assert not Decision.objects.standing(NOON).exists()
    assert again(case).enforcement == "none"
    assert case.spared_until == NOON + timedelta(hours=24)


def test_a_benign_verdict_closes_the_case_and_leaves_a_block_as_it_is() -> None:
    """Closing and unblocking are two decisions."""
    case = file(finding())
    act(Action.BLOCK, case, hours=None)

    act(Action.JUDGE, case, verdict="benign")

    assert (again(case).triage, case.verdict, case.enforcement) == ("closed", "benign", "block")
    assert case.spared_until == NOON + timedelta(days=30)
    assert Decision.objects.standing(NOON).exists()


def test_a_block_after_a_benign_verdict_spares_nobody_any_more() -> None:
    case = file(finding())
    act(Action.JUDGE, case, verdict="benign")

    act(Action.BLOCK, case, hours=1)

    assert again(case).spared_until is None
    assert (case.triage, case.verdict) == ("closed", "benign")


def test_blocking_again_replaces_the_block_that_stands() -> None:
    case = file(finding())
    act(Action.BLOCK, case, hours=None)

    act(Action.BLOCK, case, hours=1)

    [standing] = Decision.objects.standing(NOON)
    assert standing.until == NOON + timedelta(hours=1)


# The record


def test_every_action_is_recorded_with_who_when_why_before_and_after() -> None:
    case = file(finding())

    act(Action.BLOCK, case, hours=1, verdict="malicious")

    record = ReviewAction.objects.get()
    assert (record.action, record.at, record.text.reason) == ("block", NOON, WHY)
    assert (record.actor_id, record.actor_name, record.via, record.request_id) == ("7", "dana", "admin", "a-request")
    assert (record.case_id, record.text.network, record.text.actor_network) == (case.pk, ATTACKER, DANA.network)
    assert record.before == UNTOUCHED
    assert record.after == UNTOUCHED | {
        "triage": "closed",
        "verdict": "malicious",
        "judged_at": NOON.isoformat(),
        "enforcement": "block",
        "enforced_until": (NOON + timedelta(hours=1)).isoformat(),
        "version": 2,
    }


def test_a_record_is_never_changed_or_deleted() -> None:
    act(Action.JUDGE, file(finding()), verdict="benign")
    record = ReviewAction.objects.get()

    record.actor_name = "somebody else"
    with pytest.raises(TypeError, match="never changed"):
        record.save()
    with pytest.raises(TypeError, match="never changed"):
        record.delete()

    assert ReviewAction.objects.get().actor_name == "dana"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own guard")
@pytest.mark.parametrize(
    "tamper", [lambda rows: rows.update(actor_name="lee"), lambda rows: rows._raw_delete("default")]
)
def test_the_database_itself_refuses_to_change_or_delete_a_record(tamper: Callable[[Any], object]) -> None:
    act(Action.COMMENT, file(finding()))

    with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
        tamper(ReviewAction.objects.all())

    assert ReviewAction.objects.get().actor_name == "dana"


def test_a_record_outlives_the_case() -> None:
    case = file(finding())
    act(Action.JUDGE, case, verdict="benign")

    case.delete()

    assert ReviewAction.objects.get().text.network == ATTACKER


def test_actions_are_counted_by_kind(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Commit
) -> None:
    with udp_receiver() as agent:
        send_to(monkeypatch, agent.environ)

        with django_capture_on_commit_callbacks(execute=True):
            act(Action.BLOCK, file(finding()), file(finding(network="198.51.100.4")), hours=1)
        emit.flush()

        assert agent.total(ACTIONS, action="block", via="admin") == 2
        metrics_client.close()


# What is refused


@pytest.mark.parametrize("reason", ["", "    ", "spam", " spam ", "x" * 501])
def test_a_reason_too_short_or_too_long_is_refused_and_nothing_done(reason: str) -> None:
    case = file(finding())

    with pytest.raises(NotPossible, match="reason of 5 to 500 characters"):
        act(Action.BLOCK, case, reason=reason, hours=1)

    assert again(case).version == 1
    assert not ReviewAction.objects.exists()


@pytest.mark.parametrize("hours", [0, -1, 24 * 365 + 1])
def test_a_senseless_time_is_refused(hours: int) -> None:
    with pytest.raises(NotPossible, match="one hour to a year"):
        act(Action.BLOCK, file(finding()), hours=hours)


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ("127.0.0.1", "this machine"),
        ("::/64", "this machine"),
        ("10.0.0.5", "trusted proxy"),
        ("2001:db8:9:9::/64", "trusted proxy"),
        ("192.0.2.10", "calling from it yourself"),
        ("203.0.113.200", "allow-list"),
    ],
)
def test_rails_keep_people_from_locking_themselves_out(tracking: Configure, network: str, why: str) -> None:
    tracking(TRUSTED_PROXIES=["10.0.0.0/8", "2001:db8:9:9::77"])
    decisions.decide("allow", "203.0.113.128/25", until=None, reason=WHY, actor="lee", by_person=True, now=NOON)
    ours, theirs = file(finding(network=network)), file(finding(network="198.51.100.4"))

    result = act(Action.BLOCK, ours, theirs, hours=1)

    assert [(one.case.network, why in one.why) for one in result.refused] == [(network, True)]
    assert result.done == [theirs]
    assert again(ours).enforcement == "none"
    assert [record.text.network for record in ReviewAction.objects.all()] == ["198.51.100.4"]


def test_rails_do_not_keep_anybody_from_unblocking() -> None:
    case = file(finding(network="192.0.2.10"))

    assert act(Action.UNBLOCK, case).done == [case]


# At once


@pytest.mark.django_db(transaction=True)
def test_people_who_act_at_once_each_leave_a_record_of_what_they_changed() -> None:
    case, start = file(finding()), threading.Barrier(4)

    def person(number: int) -> None:
        start.wait()
        try:
            act(Action.BLOCK, case, actor=Actor(id=str(number), name=f"person {number}"), hours=1 + number)
        finally:
            connections.close_all()

    people = [threading.Thread(target=person, args=(number,)) for number in range(4)]
    for one in people:
        one.start()
    for one in people:
        one.join()

    records = ReviewAction.objects.order_by("id")
    assert [record.before["version"] for record in records] == [1, 2, 3, 4]
    assert [record.after["version"] for record in records] == [2, 3, 4, 5]
    [standing] = Decision.objects.standing(NOON)
    assert again(case).enforced_until == standing.until
