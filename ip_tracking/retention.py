"""What is past its time goes: the request log first, evidence after it, cases and what was written of them last.

The table of kinds is all there is to keep in step with docs/privacy.md. Each kind goes in short transactions, so that
nobody waits for a million rows, and whoever is interrupted goes on where it stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import OperationalError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from ip_tracking import conf
from ip_tracking.models import Batch, CaseFinding, Decision, RequestLog, ReviewText, SuspiciousIP
from ip_tracking.record import partitions
from metrics import catalogue, emit

logger = logging.getLogger(__name__)

AT_ONCE = 1_000

# A case takes its findings along, of which it may have thousands.
CASES_AT_ONCE = 50

# A row of some table; which one, the kind says.
Rows = QuerySet[Any]
GoOn = Callable[[], bool]


class Removed(NamedTuple):
    """So many of a kind went, or would go."""

    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class Kind:
    """What goes together: which rows are past their time now, and how some of them go, by their keys."""

    name: str
    due: Callable[[datetime], Rows]
    remove: Callable[[Rows, datetime], int]
    at_once: int = AT_ONCE


def run(now: datetime, go_on: GoOn = lambda: True) -> Iterator[Removed]:
    """Removes what is past its time, while `go_on`; the rest is left to the next run. Tells each kind as it is done."""
    yield _told(Removed("log_days", _remove_days(now, go_on)))
    for kind in KINDS:
        yield _told(Removed(kind.name, _remove(kind, now, go_on)))


def due(now: datetime) -> Iterator[Removed]:
    """What `run` would remove."""
    yield Removed("log_days", len(_days(now)))
    for kind in KINDS:
        yield Removed(kind.name, kind.due(now).count())


def _told(removed: Removed) -> Removed:
    if removed.number:
        emit.count(catalogue.RETENTION_REMOVED, removed.number, kind=removed.kind)
    return removed


def _remove(kind: Kind, now: datetime, go_on: GoOn) -> int:
    number = 0
    while go_on():
        keys = list(kind.due(now).values_list("pk", flat=True)[: kind.at_once])
        if not keys:
            break
        with transaction.atomic():
            number += kind.remove(kind.due(now).filter(pk__in=keys), now)
    return number


# The request log


def first_day(now: datetime) -> date:
    """The first day of the log that is kept. Whole days, so that a partition can go at once."""
    return now.astimezone(UTC).date() - timedelta(days=conf.get().keep_log_days)


def _first_moment(now: datetime) -> datetime:
    return datetime.combine(first_day(now), datetime.min.time(), UTC)


def _days(now: datetime) -> list[date]:
    return partitions.before(first_day(now)) if connection.vendor == "postgresql" else []


def _remove_days(now: datetime, go_on: GoOn) -> int:
    """A day that somebody reads or writes for long is left to the next run, and so are those after it."""
    if not _days(now):
        return 0
    number = 0
    with partitions.dropping() as mine:
        for day in _days(now) if mine else []:
            if not go_on():
                break
            try:
                partitions.drop(day)
            except OperationalError as error:
                logger.warning("A day of the request log could not be dropped (%s).", type(error).__name__)
                break
            number += 1
    return number


def _old_rows(now: datetime) -> Rows:
    """Of the log where it has no partitions."""
    old = RequestLog.objects.filter(at__lt=_first_moment(now))
    return old.none() if connection.vendor == "postgresql" else old


def _old_batches(now: datetime) -> Rows:
    return Batch.objects.filter(stored_at__lt=_first_moment(now))


# Evidence, cases, texts, decisions


def _old_evidence(now: datetime) -> Rows:
    kept = timedelta(days=conf.get().keep_evidence_days)
    return CaseFinding.objects.filter(last_seen__lt=now - kept).exclude(evidence=[]).order_by()


def _case_limit(now: datetime) -> datetime:
    return now - timedelta(days=conf.get().keep_case_days)


def _old_cases(now: datetime) -> Rows:
    """Closed that long ago, and quiet since. An open case is work to do, one that is enforced holds somebody out."""
    limit = _case_limit(now)
    standing = Decision.objects.standing(now).values("network")
    return SuspiciousIP.objects.closed().filter(judged_at__lt=limit, last_seen__lt=limit).exclude(network__in=standing)


def _old_texts(now: datetime) -> Rows:
    """Of records of no case: an export, an erasure, a case that is gone."""
    case = SuspiciousIP.objects.filter(pk=OuterRef("action__case_id"))
    return ReviewText.objects.filter(~Exists(case), action__at__lt=_case_limit(now))


def _old_decisions(now: datetime) -> Rows:
    """Ended or run out that long ago, and the store knows."""
    limit = _case_limit(now)
    return Decision.objects.filter(Q(ended_at__lt=limit) | Q(ended_at=None, until__lt=limit), in_store=True)


def _delete(rows: Rows, now: datetime) -> int:
    return rows.delete()[0]


def _empty(rows: Rows, now: datetime) -> int:
    return rows.update(evidence=[])


def _delete_cases(cases: Rows, now: datetime) -> int:
    """With what people wrote about them. The record of who did what, and when, stays."""
    keys = list(cases.select_for_update().values_list("pk", flat=True))
    ReviewText.objects.filter(action__case_id__in=keys).delete()
    SuspiciousIP.objects.filter(pk__in=keys).delete()
    return len(keys)


KINDS = (
    Kind("log_rows", _old_rows, _delete),
    Kind("batches", _old_batches, _delete),
    Kind("evidence", _old_evidence, _empty),
    Kind("cases", _old_cases, _delete_cases, CASES_AT_ONCE),
    Kind("texts", _old_texts, _delete),
    Kind("decisions", _old_decisions, _delete),
)
