"""What an action leaves behind: the state before and after, and how to get back to a state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from ip_tracking.models import Decision, ReviewAction, ReviewText, SuspiciousIP
from ip_tracking.review import events
from ip_tracking.review.actor import Actor
from metrics import catalogue, emit

State = dict[str, Any]

_TIMES = ("snoozed_until", "judged_at", "spared_until", "enforced_until")
_PLAIN = ("triage", "snoozed_score", "verdict", "enforcement", "version")


def state_of(case: SuspiciousIP) -> State:
    """All that people change of a case, as JSON can hold it."""
    times = {name: getattr(case, name) for name in _TIMES}
    return {
        **{name: getattr(case, name) for name in _PLAIN},
        **{name: at.isoformat() if at else None for name, at in times.items()},
        "assignee": None if case.assignee_id is None else str(case.assignee_id),
    }


def restore(case: SuspiciousIP, state: Mapping[str, Any]) -> None:
    """Gives a case the fields of an earlier state; the version goes on."""
    for name in _PLAIN:
        setattr(case, name, state[name] if name != "version" else case.version)
    for name in _TIMES:
        setattr(case, name, datetime.fromisoformat(state[name]) if state[name] else None)
    case.assignee_id = state["assignee"]


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did, when, as part of which batch."""

    action: str
    actor: Actor
    now: datetime
    batch: UUID
    reason: str = ""
    undoes: UUID | None = None


def write(deed: Deed, case: SuspiciousIP | None = None, before: State | None = None) -> ReviewAction:
    """Records a deed: on a case, which is as the deed left it; an export or an erasure is no one case's."""
    row = ReviewAction.objects.create(
        at=deed.now,
        action=deed.action,
        case_id=case.pk if case else None,
        batch=deed.batch,
        undoes=deed.undoes,
        actor_id=deed.actor.id,
        actor_name=deed.actor.name,
        before=before or {},
        after=state_of(case) if case else {},
        via=deed.actor.via,
        request_id=deed.actor.request_id,
    )
    network = case.network if case else ""
    ReviewText.objects.create(action=row, network=network, reason=deed.reason, actor_network=deed.actor.network)
    transaction.on_commit(lambda: emit.count(catalogue.ACTIONS, action=deed.action, via=deed.actor.via))
    if case is not None and _decides(deed, case, before or {}):
        events.decided(deed.action, via=deed.actor.via, now=deed.now, case=case.pk, until=case.enforced_until)
    return row


def _decides(deed: Deed, case: SuspiciousIP, before: State) -> bool:
    """Also an undo, where it changed what stands."""
    if deed.action == events.UNDO:
        return bool(
            before["enforcement"] != case.enforcement or before["enforced_until"] != state_of(case)["enforced_until"]
        )
    return deed.action in {*Decision.Kind.values, events.UNBLOCK}


def reason_of(action: ReviewAction) -> str:
    """What was written, "" where it was erased."""
    return action.text.reason if hasattr(action, "text") else ""
