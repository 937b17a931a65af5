"""Who works on an import, how far is it, and how does it end?

A worker takes an import for half a minute, and for as much again with each batch. Batch, counts and errors are one
transaction, which holds only if the import is still this worker's and stands where it was read: so whoever was killed,
or came back to life, changes nothing twice. Whoever goes on begins behind the last batch that was committed.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from shop.imports import taking, uploading
from shop.imports.models import Import, Piece, RowError
from shop.imports.reading import Row, Table, Unreadable
from shop.imports.taking import Seen

State = Import.State
UNDER_WAY = (State.WAITING, State.RUNNING)

# A batch takes a second on a slow machine.
HELD = timedelta(seconds=30)
# Then other tasks have their turn. Less than the minute after which Redis, as a broker, hands out again what is not
# confirmed.
SLICE_S = 20.0
# Begun so often without one batch that was committed: it takes its worker with it each time.
MOST_ATTEMPTS = 5
# Listed; the others are counted.
MOST_ERRORS = 1000

UPLOAD_ENDS = timedelta(hours=1)
FILE_KEPT = timedelta(days=7)
KEPT = timedelta(days=30)

OURS = "An error in the shop, not in the file: staff finds it under failed tasks, and can run it again."


class Over(Exception):
    """The import has ended: nothing is left to cancel."""


class _Lost(Exception):
    """Somebody else works on it, or it was cancelled."""


def work(pk: uuid.UUID, now: datetime) -> bool:
    """Works on an import for a while; returns whether something is left to do. Nothing, where somebody else does."""
    row = _claim(pk, now)
    if row is None:
        return False
    try:
        return _slice(row)
    except _Lost:
        _end(_mine(row).filter(cancel_asked=True), State.CANCELLED, timezone.now())
        return False
    except BaseException:
        # It ended as it should, and was not killed.
        _mine(row).update(held_until=None, attempts=0)
        raise


def fail(pk: uuid.UUID, now: datetime) -> None:
    """For an error that no other try would mend."""
    _end(Import.objects.filter(pk=pk, state__in=UNDER_WAY), State.FAILED, now, OURS, keep_file=True)


def cancel(row: Import, now: datetime) -> None:
    """What was written stays. Raises Over."""
    if _end(Import.objects.filter(pk=row.pk, state=State.WAITING), State.CANCELLED, now):
        return
    if not Import.objects.filter(pk=row.pk, state=State.RUNNING).update(cancel_asked=True):
        raise Over
    # Where nobody is at work on it, nobody would see that.
    _end(Import.objects.filter(_idle(now), pk=row.pk, state=State.RUNNING), State.CANCELLED, now)


def left_alone(now: datetime) -> list[uuid.UUID]:
    """Returns the imports that nobody works on: their message was lost, or their worker killed."""
    # One that was just received has its message on the way.
    waiting = Q(state=State.WAITING, created_at__lt=now - HELD)
    return list(Import.objects.filter(waiting | (Q(state=State.RUNNING) & _idle(now))).values_list("pk", flat=True))


def remove_old(now: datetime) -> tuple[int, int]:
    """Returns how many broken uploads and old imports went. A file goes with its import's end, or a week later."""
    broken = Import.objects.filter(state=State.RECEIVING, created_at__lt=now - UPLOAD_ENDS)
    uploads = broken.count()
    broken.delete()
    _end(Import.objects.filter(state__in=UNDER_WAY, created_at__lt=now - FILE_KEPT), State.FAILED, now, "Never ended.")
    Piece.objects.filter(of__state=State.FAILED, of__finished_at__lt=now - FILE_KEPT).delete()
    old = Import.objects.filter(finished_at__lt=now - KEPT)
    imports = old.count()
    old.delete()
    return uploads, imports


def _claim(pk: uuid.UUID, now: datetime) -> Import | None:
    # A failed one is begun again by staff, while its file is there.
    if not Piece.objects.filter(of=pk, number=0).exists():
        return None
    free = Import.objects.filter(_idle(now), pk=pk, state__in=(*UNDER_WAY, State.FAILED))
    taken = free.update(
        state=State.RUNNING,
        holder=uuid.uuid4().hex,
        held_until=now + HELD,
        attempts=F("attempts") + 1,
        started_at=Coalesce("started_at", Value(now)),
        finished_at=None,
        failure="",
    )
    if not taken:
        return None
    row = Import.objects.get(pk=pk)
    if row.attempts > MOST_ATTEMPTS:
        _end(_mine(row), State.FAILED, now, f"Its worker was lost {MOST_ATTEMPTS} times over one batch.")
        return None
    return row


def _slice(row: Import) -> bool:
    until = time.monotonic() + SLICE_S
    try:
        table, seen = Table(uploading.pieces(row), row.delimiter), Seen()
        for batch in taking.batches(table, seen, skip=row.rows_read):
            _commit(row, batch, seen, table.bytes_read)
            if time.monotonic() > until:
                _mine(row).update(held_until=None)
                return True
    except Unreadable as error:
        _end(_mine(row), State.FAILED, timezone.now(), str(error))
    else:
        _end(_mine(row), State.DONE, timezone.now())
    return False


@transaction.atomic
def _commit(row: Import, batch: list[Row], seen: Seen, bytes_read: int) -> None:
    outcome = taking.take(batch, seen, dry_run=row.dry_run)
    unchanged = _mine(row).filter(rows_read=row.rows_read, cancel_asked=False)
    kept = unchanged.update(
        rows_read=F("rows_read") + len(batch),
        bytes_read=bytes_read,
        created=F("created") + outcome.created,
        updated=F("updated") + outcome.updated,
        unchanged=F("unchanged") + outcome.unchanged,
        failed=F("failed") + taking.failed_rows(outcome),
        errors=F("errors") + len(outcome.faults),
        held_until=timezone.now() + HELD,
        attempts=0,
    )
    if not kept:
        raise _Lost
    listed = outcome.faults[: max(0, MOST_ERRORS - row.errors)]
    RowError.objects.bulk_create(RowError(of=row, **asdict(fault)) for fault in listed)
    row.rows_read += len(batch)
    row.errors += len(outcome.faults)


def _mine(row: Import) -> QuerySet[Import]:
    return Import.objects.filter(pk=row.pk, holder=row.holder)


def _idle(now: datetime) -> Q:
    return Q(held_until=None) | Q(held_until__lt=now)


@transaction.atomic
def _end(
    rows: QuerySet[Import], state: Import.State, now: datetime, failure: str = "", *, keep_file: bool = False
) -> bool:
    """Returns whether there was one to end."""
    keys = list(rows.values_list("pk", flat=True))
    ended = rows.filter(pk__in=keys).update(
        state=state,
        finished_at=now,
        failure=failure[:500],
        holder="",
        held_until=None,
        open_digest=None,
        cancel_asked=False,
        attempts=0,
    )
    if ended and not keep_file:
        Piece.objects.filter(of__in=keys).exclude(of__state__in=UNDER_WAY).delete()
    return bool(ended)
