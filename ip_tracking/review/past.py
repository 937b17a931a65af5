"""What happened to a case before: what people did, what detectors decided, and what was found to be true of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F

from ip_tracking.models import Decision, ReviewAction, SuspiciousIP
from ip_tracking.review.order import Action
from ip_tracking.review.record import reason_of
from ip_tracking.review.undo import UNDO
from ip_tracking.visible import visible

# A case that was acted on more often has its whole history in the audit list.
ACTIONS_SHOWN = 200
DECISIONS_SHOWN = 200

DID = {
    Action.ASSIGN: "Assigned",
    Action.COMMENT: "Commented",
    Action.SNOOZE: "Snoozed",
    Action.REOPEN: "Opened again",
    Action.JUDGE: "Judged",
    Action.BLOCK: "Blocked",
    Action.UNBLOCK: "Unblocked",
    Action.ALLOW: "Put on the allow-list",
    UNDO: "Took back",
    Decision.Kind.THROTTLE: "Throttled",
}

_WORDS = {
    "triage": dict(SuspiciousIP.Triage.choices),
    "verdict": dict(SuspiciousIP.Verdict.choices),
    "enforcement": dict(SuspiciousIP.Enforcement.choices),
}

# What of a state is told when it changed, in this order.
_TOLD = ("assignee", "triage", "snoozed_until", "snoozed_score", "verdict", "enforcement", "enforced_until")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something done to a case, made safe to look at."""

    at: datetime
    who: str
    did: str
    changes: tuple[str, ...]
    said: tuple[str, ...]  # the reason or the comment, line by line
    erased: bool  # what was said is forgotten
    until: datetime | None = None  # of a decision
    batch: UUID | None = None  # None: a detector's decision
    undone: bool = False
    verdict: str = ""  # given by it
    is_comment: bool = False
    is_block: bool = False
    case_id: int | None = None
    network: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    entries: list[Entry]  # newest first
    decisions: list[Decision]  # on this network ever, and on wider ones now; newest first
    more: bool  # there is more than is shown

    @property
    def comments(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.is_comment]

    @property
    def verdicts(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.verdict]


def past_of(case: SuspiciousIP, now: datetime) -> Past:
    """Two queries."""
    found = ReviewAction.objects.filter(case_id=case.pk).select_related("text")[: ACTIONS_SHOWN + 1]
    actions = list(found)[:ACTIONS_SHOWN]
    decisions = _decisions(case.network, now)
    names = {} if case.assignee is None else {str(case.assignee_id): case.assignee.get_username()}
    automatic = [_decided(one) for one in decisions if not one.by_person and one.network == case.network]
    entries = sorted([*entries_of(actions, names), *automatic], key=lambda entry: entry.at, reverse=True)
    return Past(entries, decisions, more=len(found) > ACTIONS_SHOWN or len(decisions) == DECISIONS_SHOWN)


def entries_of(actions: Iterable[ReviewAction], names: Mapping[str, str] | None = None) -> list[Entry]:
    """`names`: of users by id, besides those who acted."""
    actions = list(actions)
    undone = {action.undoes for action in actions if action.undoes}
    known = {action.actor_id: action.actor_name for action in actions} | dict(names or {})
    return [_done(action, undone, known) for action in actions]


def _done(action: ReviewAction, undone: set[UUID], names: Mapping[str, str]) -> Entry:
    erased = not hasattr(action, "text")
    return Entry(
        at=action.at,
        who=visible(action.actor_name),
        did=DID.get(action.action, visible(action.action)),
        changes=tuple(_changes(action, names)),
        said=lines(reason_of(action)),
        erased=erased,
        batch=action.batch,
        undone=action.batch in undone,
        verdict=_verdict(action),
        is_comment=action.action == Action.COMMENT,
        is_block=action.action == Action.BLOCK,
        case_id=action.case_id,
        network="" if erased else visible(action.text.network),
    )


def _decided(decision: Decision) -> Entry:
    return Entry(
        at=decision.created_at,
        who=visible(decision.actor),
        did=DID.get(decision.kind, visible(decision.kind)),
        changes=(),
        said=lines(decision.reason),
        erased=False,
        until=decision.until,
    )


def lines(text: str) -> tuple[str, ...]:
    """What somebody wrote, line by line: a line break is the one hidden character that they meant."""
    return tuple(visible(line, 500) for line in text.replace("\r\n", "\n").split("\n")) if text else ()


def _verdict(action: ReviewAction) -> str:
    """The verdict that it gave; to take one back gives none."""
    given = action.after.get("verdict", "")
    changed = given != action.before.get("verdict", "") or action.action == Action.JUDGE
    return _word("verdict", given) if given and changed and action.action != UNDO else ""


def _changes(action: ReviewAction, names: Mapping[str, str]) -> Iterable[str]:
    """What it changed, as "triage: to review → closed"."""
    before, after = action.before, action.after
    for name in _TOLD:
        if name not in before or name not in after or before[name] == after[name]:
            continue
        if name in _WORDS:
            yield f"{name}: {_word(name, before[name]).lower()} → {_word(name, after[name]).lower()}"
        elif name == "assignee":
            yield f"assigned: {_name(before[name], names)} → {_name(after[name], names)}"
        elif after[name] and name == "snoozed_score":
            yield f"until its score is {after[name]}"
        elif after[name]:
            yield f"{name.replace('_', ' ')} {datetime.fromisoformat(after[name]):%Y-%m-%d %H:%M} UTC"


def _word(field: str, value: str) -> str:
    return str(_WORDS[field].get(value, visible(str(value))))


def _name(user_id: str | None, names: Mapping[str, str]) -> str:
    return "nobody" if user_id is None else visible(names.get(user_id, f"user {user_id}"))


def _decisions(network: str, now: datetime) -> list[Decision]:
    """Those that stand come first out of the database, however many there were."""
    found = Decision.objects.filter(network=network) | Decision.objects.standing(now).covering(network)
    first = found.order_by(F("ended_at").desc(nulls_first=True), "-created_at")[:DECISIONS_SHOWN]
    return sorted(first, key=lambda decision: decision.created_at, reverse=True)
