"""What people decide: the one function behind every button. Each decision has a reason, and leaves a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from django.db import transaction

from ip_tracking.client import holds_proxy, is_loopback
from ip_tracking.gate import decisions
from ip_tracking.models import ReviewAction, SuspiciousIP
from metrics import catalogue, emit

REASON_CHARS = range(5, 501)

# After a person unblocked a network or judged it benign, detectors leave it alone for so long: else yesterday's rows
# would block it again within the hour.
SPARED_AFTER_UNBLOCK = timedelta(hours=24)
SPARED_AFTER_BENIGN = timedelta(days=30)


class Action(StrEnum):
    BLOCK = "block"
    UNBLOCK = "unblock"
    BENIGN = "benign"


# What says that a detector was wrong.
RELEASES = (Action.UNBLOCK, Action.BENIGN)


class NotPossible(ValueError):
    """The request makes no sense as it stands; the text says what would."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who decides, from where, through what."""

    id: str
    name: str
    network: str = ""
    via: str = "admin"
    request_id: str = ""


@dataclass(slots=True)
class Result:
    """What was done, and what was not, with why."""

    done: list[SuspiciousIP] = field(default_factory=list)
    refused: list[tuple[SuspiciousIP, str]] = field(default_factory=list)


def apply(
    action: Action, case_ids: Iterable[int], *, actor: Actor, reason: str, now: datetime, hours: int | None = None
) -> Result:
    """Does one action to some cases. `hours`: how long a block stands, None until somebody ends it.

    Raises NotPossible for a missing reason or a senseless time; a case that may not be blocked is refused by itself.
    """
    reason = read_reason(reason)
    if hours is not None and not 1 <= hours <= 24 * 365:
        raise NotPossible("A block stands from one hour to a year, or until somebody ends it.")
    result = Result()
    with transaction.atomic():
        for case in SuspiciousIP.objects.select_for_update().filter(pk__in=list(case_ids)).order_by("pk"):
            why_not = _rails(case, actor, now) if action is Action.BLOCK else ""
            if why_not:
                result.refused.append((case, why_not))
                continue
            _do(action, case, actor, reason, now, hours)
            result.done.append(case)
    return result


def read_reason(text: str) -> str:
    """Returns a reason as it is kept; raises NotPossible for one that says nothing, or too much."""
    reason = text.strip()
    if len(reason) not in REASON_CHARS:
        raise NotPossible(f"Give a reason of {REASON_CHARS.start} to {REASON_CHARS.stop - 1} characters.")
    return reason


def _do(action: Action, case: SuspiciousIP, actor: Actor, reason: str, now: datetime, hours: int | None) -> None:
    before = _state(case)
    if action is Action.BLOCK:
        _block(case, actor, reason, now, hours)
    elif action is Action.UNBLOCK:
        _unblock(case, now)
    else:
        _judge_benign(case, now)
    if action in RELEASES:
        _count_release(action, case)
    case.version += 1
    case.save()
    ReviewAction.objects.create(
        at=now,
        action=action,
        case_id=case.pk,
        network=case.network,
        actor_id=actor.id,
        actor_name=actor.name,
        reason=reason,
        before=before,
        after=_state(case),
        via=actor.via,
        request_id=actor.request_id,
    )
    transaction.on_commit(lambda: emit.count(catalogue.ACTIONS, action=action.value, via=actor.via))


def _block(case: SuspiciousIP, actor: Actor, reason: str, now: datetime, hours: int | None) -> None:
    until = None if hours is None else now + timedelta(hours=hours)
    decisions.decide("block", case.network, until=until, reason=reason, actor=actor.name, by_person=True, now=now)
    case.enforcement = SuspiciousIP.Enforcement.BLOCKED
    case.enforced_until = until
    case.spared_until = None
    case.triage, case.verdict, case.judged_at = SuspiciousIP.Triage.CLOSED, SuspiciousIP.Verdict.MALICIOUS, now


def _unblock(case: SuspiciousIP, now: datetime) -> None:
    decisions.end(case.network, now)
    case.enforcement = SuspiciousIP.Enforcement.NONE
    case.enforced_until = None
    case.spared_until = now + SPARED_AFTER_UNBLOCK


def _judge_benign(case: SuspiciousIP, now: datetime) -> None:
    """Closes the case; what stands against the network stays until somebody unblocks it."""
    case.triage, case.verdict, case.judged_at = SuspiciousIP.Triage.CLOSED, SuspiciousIP.Verdict.BENIGN, now
    case.spared_until = now + SPARED_AFTER_BENIGN


def _count_release(action: Action, case: SuspiciousIP) -> None:
    """Counts the findings that are overruled, by rule; those of an earlier release were counted then."""
    last = ReviewAction.objects.filter(case_id=case.pk, action__in=RELEASES).first()
    overruled = case.findings.filter(last_seen__gt=last.at) if last else case.findings.all()
    for rule, times in Counter(overruled.values_list("rule", flat=True)).items():
        transaction.on_commit(partial(emit.count, catalogue.RELEASES, times, rule=rule, action=action.value))


def _rails(case: SuspiciousIP, actor: Actor, now: datetime) -> str:
    """Why this network may not be blocked, "" where it may."""
    if is_loopback(case.network):
        return "It is this machine itself."
    if holds_proxy(case.network):
        return "It is a trusted proxy: everybody behind it would be blocked."
    if case.network == actor.network:
        return "You are calling from it yourself."
    if decisions.is_allowed(case.network, now):
        return "It is on the allow-list, which outranks a block: it would pass all the same."
    return ""


def _state(case: SuspiciousIP) -> dict[str, Any]:
    return {
        "triage": case.triage,
        "verdict": case.verdict,
        "enforcement": case.enforcement,
        "enforced_until": case.enforced_until.isoformat() if case.enforced_until else None,
        "version": case.version,
    }
