"""What people decide: the one function behind every button, command and API call. Each leaves a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Min

from ip_tracking.gate import decisions
from ip_tracking.models import Decision, ReviewAction, SuspiciousIP
from ip_tracking.models.decisions import AGAINST
from ip_tracking.review import record
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, Order
from ip_tracking.review.rails import Result, require, sorted_out
from metrics import catalogue, emit

# After a person unblocked a network or judged it harmless, detectors leave it alone for so long: else yesterday's rows
# would block it again within the hour.
SPARED_AFTER_UNBLOCK = timedelta(hours=24)
SPARED_AFTER_BENIGN = timedelta(days=30)

# "Until it gets worse": one more finding of medium severity, or one high in place of it.
WORSE = 20

Triage, Verdict, Enforcement = SuspiciousIP.Triage, SuspiciousIP.Verdict, SuspiciousIP.Enforcement

ALL_KINDS = tuple(Decision.Kind.values)

HARMLESS = (Verdict.BENIGN, Verdict.FALSE_POSITIVE, Verdict.TESTING)
# What says that a detector was wrong. A hired tester was found rightly.
WRONGLY_FOUND = (Verdict.BENIGN, Verdict.FALSE_POSITIVE)


def apply(
    order: Order, versions: Mapping[int, int | None], *, actor: Actor, now: datetime, dry_run: bool = False
) -> Result:
    """Does one thing to some cases, as one batch. `versions`: each case's id with the version that the actor saw, or
    None to act on whatever there is. Ids of no case are passed over.

    Raises NotPossible for an order that makes no sense, NotAllowed for one that the actor may not give. A case that may
    not be blocked, or was changed meanwhile, is refused by itself.
    """
    order = order.checked(now)
    require(order, len(versions), actor)
    with transaction.atomic():
        chosen = SuspiciousIP.objects.all() if dry_run else SuspiciousIP.objects.select_for_update()
        result = sorted_out(order.action, chosen, versions, actor, now)
        for case in [] if dry_run else result.done:
            _do(order, case, actor, now, result.batch)
    return result


def _do(order: Order, case: SuspiciousIP, actor: Actor, now: datetime, batch: UUID) -> None:
    before = record.state_of(case)
    _DO[order.action](order, case, actor, now)
    if case.triage == Triage.CLOSED != before["triage"]:  # else another verdict on what waited for none
        _tell_duration(case, before["judged_at"], now)
    if order.action is Action.UNBLOCK or (order.action is Action.JUDGE and order.verdict in WRONGLY_FOUND):
        _count_release(order.action, case)
    case.version += 1
    case.save()
    record.write(record.Deed(order.action, actor, now, batch, order.reason), case, before)


def _assign(order: Order, case: SuspiciousIP, actor: Actor, now: datetime) -> None:
    case.assignee_id = order.assignee


def _comment(order: Order, case: SuspiciousIP, actor: Actor, now: datetime) -> None:
    """The record is the comment."""


def _snooze(order: Order, case: SuspiciousIP, actor: Actor, now: datetime) -> None:
    case.triage = Triage.SNOOZED
    case.snoozed_until = order.until
    case.snoozed_score = case.score + WORSE if order.worse else None


def _reopen(order: Order, case: SuspiciousIP, actor: Actor, now: datetime) -> None:
    case.triage, case.verdict, case.judged_at = Triage.OPEN, Verdict.NONE, None
    case.spared_until = case.snoozed_until = case.snoozed_score = None


def _judge(order: Order, case: SuspiciousIP, actor: Actor, now: datetime) -> None:
    """Closes the case; what stands against the network stays until somebody unblocks it."""
    case.triage, case.verdict, case.judged_at = Triage.CLOSED, order.verdict, now
    case.snoozed_until = case.snoozed_score = None
    case.spared_until = now + SPARED_AFTER_BENIGN if order.verdict in HARMLESS else None


def _block(order: Order, case: SuspiciousIP, actor: Actor, now: datetime) -> None:
    _decide("block", order, case, actor, now)
    case.enforcement = Enforcement.BLOCKED
    case.spared_until = None
    if order.verdict:
        _judge(order, case, actor, now)


def _unblock(order: Order, case: SuspiciousIP, actor: Actor, now: datetime) -> None:
    """Ends what stands against it; of one that is allow-listed, that."""
    decisions.end(case.network, now, ALL_KINDS if case.enforcement == Enforcement.ALLOWED else AGAINST)
    case.enforcement, case.enforced_until = Enforcement.NONE, None
    case.spared_until = now + SPARED_AFTER_UNBLOCK


def _allow(order: Order, case: SuspiciousIP, actor: Actor, now: datetime) -> None:
    decisions.end(case.network, now)
    _decide("allow", order, case, actor, now)
    case.enforcement = Enforcement.ALLOWED


def _decide(kind: str, order: Order, case: SuspiciousIP, actor: Actor, now: datetime) -> None:
    case.enforced_until = None if order.hours is None else now + timedelta(hours=order.hours)
    decisions.decide(
        kind, case.network, until=case.enforced_until, reason=order.reason, actor=actor.name, by_person=True, now=now
    )


_DO: dict[Action, Callable[[Order, SuspiciousIP, Actor, datetime], None]] = {
    Action.ASSIGN: _assign,
    Action.COMMENT: _comment,
    Action.SNOOZE: _snooze,
    Action.REOPEN: _reopen,
    Action.JUDGE: _judge,
    Action.BLOCK: _block,
    Action.UNBLOCK: _unblock,
    Action.ALLOW: _allow,
}


def _tell_duration(case: SuspiciousIP, judged_before: str | None, now: datetime) -> None:
    """From when it was filed; of a case that came back after a verdict, from the first that was found after it."""
    since = case.created_at
    if judged_before:
        found = case.findings.filter(last_seen__gt=datetime.fromisoformat(judged_before))
        since = found.aggregate(first=Min("last_seen"))["first"] or now
    tell = partial(emit.distribution, catalogue.REVIEW_DURATION, max(0.0, (now - since).total_seconds()))
    transaction.on_commit(partial(tell, verdict=case.verdict, severity=case.severity))


def _count_release(action: Action, case: SuspiciousIP) -> None:
    """Counts the findings that are overruled, by rule; those of an earlier release were counted then."""
    done = ReviewAction.objects.filter(case_id=case.pk, action__in=(Action.UNBLOCK, Action.JUDGE))
    last = next((one for one in done if one.action == Action.UNBLOCK or one.after["verdict"] in WRONGLY_FOUND), None)
    overruled = case.findings.filter(last_seen__gt=last.at) if last else case.findings.all()
    for rule, times in Counter(overruled.values_list("rule", flat=True)).items():
        transaction.on_commit(partial(emit.count, catalogue.RELEASES, times, rule=rule, action=action.value))
