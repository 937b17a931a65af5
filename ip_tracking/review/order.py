"""What people may ask for, and which of it makes sense."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from ip_tracking.models import SuspiciousIP
from ip_tracking.review import roles

REASON_CHARS = range(5, 501)
LONGEST_HOURS = 24 * 365
LONGEST_SNOOZE = timedelta(days=90)

Verdict = SuspiciousIP.Verdict
_VERDICTS = tuple(verdict.value for verdict in Verdict if verdict)


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


def read_reason(text: str) -> str:
    """Returns a reason as it is kept; raises NotPossible for one that says nothing, or too much."""
    reason = text.strip()
    if len(reason) not in REASON_CHARS:
        raise NotPossible(f"Give a reason of {REASON_CHARS.start} to {REASON_CHARS.stop - 1} characters.", "reason")
    return reason


def _reason(order: Order) -> str:
    return read_reason(order.reason) if order.reason.strip() or order.action in WITH_REASON else ""


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
