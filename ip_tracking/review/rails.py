"""Which cases something can be done to, by whom, and why not to the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from django.db.models import BigIntegerField, Max, QuerySet

from ip_tracking.client import holds_proxy, is_loopback
from ip_tracking.gate import decisions
from ip_tracking.models import ReviewAction, SuspiciousIP
from ip_tracking.review import roles
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, NotPossible, Order

# No more at once: the page that confirms it shows each of them.
MOST_AT_ONCE = 200

PERMISSIONS = {
    Action.BLOCK: (roles.BLOCK, "block"),
    Action.UNBLOCK: (roles.BLOCK, "unblock"),
    Action.ALLOW: (roles.ALLOW, "put on the allow-list"),
}


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


def preview(action: Action, versions: Mapping[int, int | None], *, actor: Actor, now: datetime) -> Result:
    """A dry run before there is an order: which of these cases `apply` would take, and why not the others.

    Raises NotPossible and NotAllowed as `apply` does, but for what only an order says. Three queries, however many.
    """
    require(Order(action, hours=1), len(versions), actor)
    return sorted_out(action, SuspiciousIP.objects.select_related("assignee"), versions, actor, now)


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


def sorted_out(
    action: Action, chosen: QuerySet[SuspiciousIP], versions: Mapping[int, int | None], actor: Actor, now: datetime
) -> Result:
    """Tells the cases that it can be done to from those that it cannot."""
    asked = [pk for pk in versions if pk <= BigIntegerField.MAX_BIGINT]  # SQLite raises for more
    cases = list(chosen.filter(pk__in=asked).order_by("pk"))
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
