"""Takes back what was done at once, for ten minutes, where nobody changed anything since."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from django.db import transaction

from ip_tracking.gate import decisions
from ip_tracking.models import Decision, ReviewAction, SuspiciousIP
from ip_tracking.review import record, roles
from ip_tracking.review.actions import ALL_KINDS
from ip_tracking.review.actor import Actor
from ip_tracking.review.erase import ERASE
from ip_tracking.review.order import Action, NotPossible
from ip_tracking.review.rails import Refused, Result
from metrics import catalogue, emit

UNDO = "undo"
FOR = timedelta(minutes=10)

# What was said was said, and what was erased is gone.
LASTING = (Action.COMMENT, ERASE)
DECIDING = (Action.BLOCK, Action.UNBLOCK, Action.ALLOW)


def undo(batch: UUID, *, actor: Actor, now: datetime) -> Result:
    """Gives each case of a batch the state from before it, and its network the decisions from before it.

    Raises NotPossible for a batch that there is not, that is too old or was taken back already, and NotAllowed for one
    of somebody else without the permission. A case that was changed since is refused by itself.
    """
    done = {row.case_id: row for row in ReviewAction.objects.filter(batch=batch).exclude(case_id=None)}
    _check(batch, list(done.values()), actor, now)
    result = Result(uuid4())
    with transaction.atomic():
        for case in SuspiciousIP.objects.select_for_update().filter(pk__in=list(done)).order_by("pk"):
            row = done[case.pk]
            if row.after["version"] != case.version:
                result.refused.append(Refused(case, "It was changed since.", stale=True))
                continue
            _undo(case, row, actor, now, result.batch)
            result.done.append(case)
    return result


def can_undo(batch: UUID, actor: Actor, now: datetime) -> bool:
    try:
        _check(batch, list(ReviewAction.objects.filter(batch=batch).exclude(case_id=None)), actor, now)
    except (NotPossible, PermissionError):
        return False
    return True


def _check(batch: UUID, rows: Iterable[ReviewAction], actor: Actor, now: datetime) -> None:
    first = next(iter(rows), None)
    if first is None:
        raise NotPossible(f"There is no batch {batch}.")
    if first.action == UNDO or first.action in LASTING:
        a = "an" if first.action[0] in "aeiou" else "a"
        raise NotPossible(f"What was done is {a} {first.action}, which stays: say what you have to say in another.")
    if now - first.at > FOR:
        raise NotPossible(f"It was done more than {FOR.seconds // 60} minutes ago: decide anew instead.")
    if ReviewAction.objects.filter(undoes=batch).exists():
        raise NotPossible("It was taken back already.")
    actor.require(roles.REVIEW, "undo")
    if first.actor_id != actor.id or first.actor_name != actor.name:
        actor.require(roles.UNDO, "undo what somebody else did")


def _undo(case: SuspiciousIP, row: ReviewAction, actor: Actor, now: datetime, batch: UUID) -> None:
    before = record.state_of(case)
    if row.action in DECIDING:
        _decisions_of_before(case.network, row.at, now)
    record.restore(case, row.before)
    case.version += 1
    case.save()
    record.write(record.Deed(UNDO, actor, now, batch, undoes=row.batch), case, before)
    transaction.on_commit(partial(emit.count, catalogue.UNDONE, action=row.action))


def _decisions_of_before(network: str, done_at: datetime, now: datetime) -> None:
    """Ends what stands on the network, and decides again what the action had ended."""
    ended = list(Decision.objects.filter(network=network, ended_at=done_at))
    decisions.end(network, now, ALL_KINDS)
    for one in ended:
        if one.until is None or one.until > now:
            decisions.decide(
                one.kind, network, until=one.until, reason=one.reason, actor=one.actor, by_person=one.by_person, now=now
            )
