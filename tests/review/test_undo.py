"""What was done at once is taken back at once: the state, the decisions, and nothing that somebody did since."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from ip_tracking.gate import decisions
from ip_tracking.models import Decision, ReviewAction, SuspiciousIP
from ip_tracking.review import roles
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor, NotAllowed
from ip_tracking.review.order import Action, NotPossible, Order
from ip_tracking.review.rails import Result
from ip_tracking.review.record import state_of
from ip_tracking.review.undo import FOR, can_undo, undo
from tests.review.conftest import file
from tests.traffic import ATTACKER, NOON, finding

pytestmark = pytest.mark.django_db

ANALYST = frozenset(roles.ROLES["Security analyst"])
DANA, LEE = Actor(id="7", name="dana", permissions=ANALYST), Actor(id="8", name="lee", permissions=ANALYST)
LEAD = Actor(id="9", name="kim", permissions=frozenset(roles.ROLES["Security lead"]))
WHY = "Card testing since noon"
SOON = NOON + timedelta(minutes=2)

BLOCK = Order(Action.BLOCK, WHY, hours=24, verdict="malicious")
JUDGE = Order(Action.JUDGE, WHY, verdict="benign")
COMMENT = Order(Action.COMMENT, WHY)


def done(order: Order, *cases: SuspiciousIP, actor: Actor = DANA) -> Result:
    return apply(order, {case.pk: None for case in cases}, actor=actor, now=NOON)


def standing() -> set[tuple[str, str, object]]:
    return {(one.kind, one.network, one.until) for one in Decision.objects.standing(SOON)}


@pytest.mark.parametrize("order", [BLOCK, JUDGE, Order(Action.SNOOZE), Order(Action.UNBLOCK, WHY)])
def test_each_case_is_again_as_it_was_but_for_its_version(order: Order) -> None:
    first, second = file(finding()), file(finding(network="198.51.100.4"))
    done(Order(Action.BLOCK, "An earlier decision", hours=72), first)
    before = [state_of(SuspiciousIP.objects.get(pk=case.pk)) for case in (first, second)]
    stood = standing()

    result = undo(done(order, first, second).batch, actor=DANA, now=SOON)

    after = [state_of(SuspiciousIP.objects.get(pk=case.pk)) for case in (first, second)]
    assert result.done == [first, second]
    assert after == [state | {"version": state["version"] + 2} for state in before]
    assert standing() == stood


def test_a_decision_that_comes_back_is_the_persons_who_made_it() -> None:
    case = file(finding())
    until = NOON + timedelta(hours=72)
    decisions.decide("block", ATTACKER, until=until, reason="Lee's own", actor="lee", by_person=True, now=NOON)

    undo(done(Order(Action.UNBLOCK, WHY), case).batch, actor=DANA, now=SOON)

    [back] = Decision.objects.standing(SOON)
    assert (back.actor, back.reason, back.until) == ("lee", "Lee's own", until)


def test_the_undo_is_recorded_and_is_not_undone_itself() -> None:
    case = file(finding())
    batch = done(BLOCK, case).batch

    taken_back = undo(batch, actor=DANA, now=SOON).batch

    record = ReviewAction.objects.get(batch=taken_back)
    assert (record.action, record.undoes, record.case_id) == ("undo", batch, case.pk)
    with pytest.raises(NotPossible, match="which stays"):
        undo(taken_back, actor=DANA, now=SOON)
    with pytest.raises(NotPossible, match="taken back already"):
        undo(batch, actor=DANA, now=SOON)


def test_a_case_that_somebody_changed_since_is_left_as_it_is() -> None:
    touched, other = file(finding()), file(finding(network="198.51.100.4"))
    batch = done(BLOCK, touched, other).batch
    done(COMMENT, touched, actor=LEE)

    result = undo(batch, actor=DANA, now=SOON)

    assert [one.case for one in result.refused] == [touched]
    assert result.done == [other]
    assert standing() == {("block", ATTACKER, NOON + timedelta(hours=24))}


def test_after_ten_minutes_it_is_too_late() -> None:
    batch = done(BLOCK, file(finding())).batch

    assert can_undo(batch, DANA, NOON + FOR)
    with pytest.raises(NotPossible, match="more than 10 minutes ago"):
        undo(batch, actor=DANA, now=NOON + FOR + timedelta(seconds=1))


def test_what_somebody_else_did_is_undone_by_a_lead_only() -> None:
    batch = done(BLOCK, file(finding())).batch

    with pytest.raises(NotAllowed, match="undo what somebody else did"):
        undo(batch, actor=LEE, now=SOON)
    assert not can_undo(batch, LEE, SOON)
    assert undo(batch, actor=LEAD, now=SOON).done


def test_what_there_is_not_and_what_stays_cannot_be_undone() -> None:
    with pytest.raises(NotPossible, match="There is no batch"):
        undo(uuid4(), actor=DANA, now=SOON)
    with pytest.raises(NotPossible, match="is a comment, which stays"):
        undo(done(COMMENT, file(finding())).batch, actor=DANA, now=SOON)
