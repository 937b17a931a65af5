"""Running a failed task again: once for each failure, whoever asks and however many at once."""

from __future__ import annotations

from datetime import datetime

from celery import current_app

from shop.accounts.models import User
from shop.broker import AWAY, hand_over
from shop.failures.models import FailedTask


class NotSafe(Exception):
    """What was sent to it was not kept, or twice would do harm."""


class DoneBefore(Exception):
    """Somebody has run it again."""


class BrokerAway(Exception):
    """No worker can be told."""


def run_again(failed: FailedTask, user: User, now: datetime) -> None:
    """Raises NotSafe, DoneBefore, BrokerAway."""
    if failed.call is None:
        raise NotSafe
    mine = FailedTask.objects.filter(pk=failed.pk, run_again_at=None)
    if not mine.update(run_again_at=now, run_again_by=user):
        raise DoneBefore
    args, kwargs = failed.call
    try:
        hand_over(current_app.signature(failed.name, args=args, kwargs=kwargs))
    except AWAY as error:
        FailedTask.objects.filter(pk=failed.pk, run_again_at=now).update(run_again_at=None, run_again_by=None)
        raise BrokerAway from error
