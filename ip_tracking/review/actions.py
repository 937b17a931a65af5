"""What people decide: the one function behind every button, command and API call. Each leaves a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from uuid import UUID, uuid4

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Min, QuerySet

from ip_tracking.client import holds_proxy, is_loopback
from ip_tracking.gate import decisions
from ip_tracking.models import Decision, ReviewAction, SuspiciousIP
from ip_tracking.models.decisions import AGAINST
from ip_tracking.review import record, roles
from ip_tracking.review.actor import Actor
from metrics import catalogue, emit

REASON_CHARS = range(5, 501)
LONGEST_HOURS = 24 * 365

# No more at once: the page that confirms it shows each of them.
MOST_AT_ONCE = 200

# After a person unblocked a network or judged it harmless, detectors leave it alone for so long: else yesterday's rows
# would block it again within the hour.
SPARED_AFTER_UNBLOCK = timedelta(hours=24)
SPARED_AFTER_BENIGN = timedelta(days=30)

# "Until it gets worse": one more finding of medium severity, or one high in place of it.
WORSE = 20
LONGEST_SNOOZE = timedelta(days=90)

Triage, Verdict, Enforcement = SuspiciousIP.Triage, SuspiciousIP.Verdict, SuspiciousIP.Enforcement

ALL_KINDS = tuple(Decision.Kind.values)

HARMLESS = (Verdict.BENIGN, Verdict.FALSE_POSITIVE, Verdict.TESTING)
# What says that a detector was wrong. A hired tester was found rightly.
WRONGLY_FOUND = (Verdict.BENIGN, Verdict.FALSE_POSITIVE)


class Action(StrEnum):
    ASSIGN = "assign"
    COMMENT = "comment"
    SNOOZE = "snooze"
    REOPEN = "reopen"
    JUDGE = "judge"
    BLOCK = "block"
    UNBLOCK = "unblock"
    ALLOW = "allow"


# The others are understood without: who takes a case says why by taking it.
WITH_REASON = (Action.COMMENT, Action.JUDGE, Action.BLOCK, Action.UNBLOCK, Action.ALLOW)

PERMISSIONS = {
    Action.BLOCK: (roles.BLOCK, "block"),
    Action.UNBLOCK: (roles.BLOCK, "unblock"),
    Action.ALLOW: (roles.ALLOW, "put on the allow-list"),
}


class NotPossible(ValueError):
    """The request makes no sense as it stands; the text says what would."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field  # of Order, where it is one


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, and how."""

    action: Action
    reason: str = ""
    hours: int | None = None  # how long a block or an allow stands; None until somebody ends it
    verdict: str = ""  # to judge by; a block may give one too, and closes the case with it
    assignee: str | None = None  # a user's id; None gives the case back
    until: datetime | None = None  # snoozed until then
    worse: bool = True  # and no longer than until it gets worse

    def checked(self, now: datetime) -> Order:
        """The order as it is kept; raises NotPossible where it makes no sense."""
        if self.hours is not None and not 1 <= self.hours <= LONGEST_HOURS:
            raise NotPossible("A block stands from one hour to a year, or until somebody ends it.", "hours")
        if self.action is Action.JUDGE and self.verdict not in _VERDICTS:
            raise NotPossible(f"{self.verdict!r} is no verdict; give one of {', '.join(_VERDICTS)}.", "verdict")
        if self.action is Action.BLOCK and self.verdict not in ("", Verdict.MALICIOUS):
            raise NotPossible("Whom a block closes the case of is malicious, or the verdict is left open.", "verdict")
        if self.action is Action.ASSIGN and self.assignee is not None and _reviewer(self.assignee) is None:
            raise NotPossible(
                f"{self.assignee!r} is nobody who may review; give the id of somebody who may.", "assignee"
            )
        if self.action is Action.SNOOZE and not _can_snooze(self, now):
            raise NotPossible(
                f"Snooze until a time within {LONGEST_SNOOZE.days} days, until it gets worse, or both.", "until"
            )
        return replace(self, reason=_reason(self))


@dataclass(frozen=True, slots=True)
class Refused:
    """A case that was left as it is, and why."""

    case: SuspiciousIP
    why: str
    stale: bool = False  # somebody changed it since it was looked at


@dataclass(slots=True)
class Result:
    """What was done, and what was not. Of a dry run: what would be."""

    batch: UUID
    done: list[SuspiciousIP] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


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
        result = _sorted_out(order.action, chosen, versions, actor, now)
        for case in [] if dry_run else result.done:
            _do(order, case, actor, now, result.batch)
    return result


def preview(action: Action, versions: Mapping[int, int | None], *, actor: Actor, now: datetime) -> Result:
    """A dry run before there is an order: which of these cases `apply` would take, and why not the others.

    Raises NotPossible and NotAllowed as `apply` does, but for what only an order says. Three queries, however many.
    """
    require(Order(action, hours=1), len(versions), actor)
    return _sorted_out(action, SuspiciousIP.objects.select_related("assignee"), versions, actor, now)


def _sorted_out(
    action: Action, chosen: QuerySet[SuspiciousIP], versions: Mapping[int, int | None], actor: Actor, now: datetime
) -> Result:
    """Tells the cases that it can be done to from those that it cannot."""
    cases = list(chosen.filter(pk__in=list(versions)).order_by("pk"))
    changed = [case.pk for case in cases if versions[case.pk] not in (None, case.version)]
    last = _last_actions(changed)
    allowed = decisions.allow_list(now) if action is Action.BLOCK and cases else None
    result = Result(uuid4())
    for case in cases:
        if case.pk in changed:
            result.refused.append(Refused(case, _who_changed(case, last.get(case.pk), now), stale=True))
        elif why := _why_not(case, actor, allowed, now) if allowed is not None else "":
            result.refused.append(Refused(case, why))
        else:
            result.done.append(case)
    return result


def require(order: Order, cases: int, actor: Actor) -> None:
    """Raises NotAllowed where the actor may not do this, to so many cases at once, for so long."""
    if cases > MOST_AT_ONCE and actor.permissions is not None:  # a command has all the time there is
        raise NotPossible(f"At most {MOST_AT_ONCE} cases at once.")
    permission, what = PERMISSIONS.get(order.action, (roles.REVIEW, "review cases"))
    actor.require(permission, what)
    if order.action is Action.BLOCK and (order.hours is None or order.hours > roles.SHORT_BLOCK_HOURS):
        actor.require(roles.BLOCK_LONG, "block for more than seven days")
    if cases > roles.FEW_CASES:
        actor.require(roles.BULK, f"act on more than {roles.FEW_CASES} cases at once")


def read_reason(text: str) -> str:
    """Returns a reason as it is kept; raises NotPossible for one that says nothing, or too much."""
    reason = text.strip()
    if len(reason) not in REASON_CHARS:
        raise NotPossible(f"Give a reason of {REASON_CHARS.start} to {REASON_CHARS.stop - 1} characters.", "reason")
    return reason


def _reason(order: Order) -> str:
    return read_reason(order.reason) if order.reason.strip() or order.action in WITH_REASON else ""


_VERDICTS = tuple(verdict.value for verdict in Verdict if verdict)


def _can_snooze(order: Order, now: datetime) -> bool:
    return order.worse if order.until is None else now < order.until <= now + LONGEST_SNOOZE


def _reviewer(user_id: str) -> object | None:
    """Somebody active who may review, by id."""
    users = get_user_model()._default_manager.filter(is_active=True)
    try:
        user = users.filter(pk=user_id).first()
    except (ValueError, ValidationError):
        return None
    return user if user is not None and user.has_perm(f"ip_tracking.{roles.REVIEW}") else None


def _last_actions(case_ids: list[int]) -> dict[int | None, ReviewAction]:
    """What people did last to each of these cases."""
    if not case_ids:
        return {}
    of_these = ReviewAction.objects.filter(case_id__in=case_ids).order_by()
    last = of_these.values("case_id").annotate(last=Max("pk")).values("last")
    return {row.case_id: row for row in ReviewAction.objects.filter(pk__in=last)}


def _who_changed(case: SuspiciousIP, last: ReviewAction | None, now: datetime) -> str:
    if last is None or last.after.get("version") != case.version:
        return "A detector changed it meanwhile: look at it again."
    ago_s = max(int((now - last.at).total_seconds()), 0)
    ago = f"{ago_s} seconds" if ago_s < 120 else f"{ago_s // 60} minutes"
    return f"Changed by {last.actor_name} {ago} ago ({last.action}): look at it again."


def _why_not(case: SuspiciousIP, actor: Actor, allowed: decisions.Table, now: datetime) -> str:
    """Why this network may not be blocked, "" where it may."""
    if is_loopback(case.network):
        return "It is this machine itself."
    if holds_proxy(case.network):
        return "It is a trusted proxy: everybody behind it would be blocked."
    if case.network == actor.network:
        return "You are calling from it yourself."
    if allowed.find(case.network, now):
        return "It is on the allow-list, which outranks a block: it would pass all the same."
    return ""


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
