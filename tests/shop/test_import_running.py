"""Who works on an import: one at a time, from where the last one stopped, and not for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from shop.accounts.models import User
from shop.catalogue.models import Category, Product
from shop.imports import running, taking, tasks, writing
from shop.imports.models import Import, Piece, RowError
from shop.imports.uploading import Upload

pytestmark = pytest.mark.django_db

State = Import.State
ROWS = 3 * taking.BATCH
NOW = timezone.now()
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def waiting(ada: User) -> Import:
    """1,500 rows in three batches; the last one of each is bad."""
    Category.objects.create(name="Tables", slug="tables")
    upload = Upload(ada, NOW)
    upload.write(b"sku,name,category,price\n")
    for number in range(1, ROWS + 1):
        upload.write(b"A-%d,Desk %d,tables,%s\n" % (number, number, b"x" if number % taking.BATCH == 0 else b"1"))
    return upload.finish("", None)[0]


def one_slice(row: Import, monkeypatch: pytest.MonkeyPatch, now: datetime = NOW) -> bool:
    """One batch, and then the others have their turn."""
    with monkeypatch.context() as patched:
        patched.setattr(running, "SLICE_S", -1.0)
        return running.work(row.pk, now)


def counts(row: Import) -> tuple[str, int, int, int, int]:
    row.refresh_from_db()
    return row.state, row.rows_read, row.created, row.unchanged, row.failed


def test_each_slice_begins_where_the_last_one_ended(waiting: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    assert one_slice(waiting, monkeypatch)
    assert counts(waiting) == ("running", 500, 499, 0, 1)
    assert 0.3 < waiting.progress < 0.35

    assert one_slice(waiting, monkeypatch)
    assert one_slice(waiting, monkeypatch)
    assert not one_slice(waiting, monkeypatch)

    assert counts(waiting) == ("done", 1500, 1497, 0, 3)
    assert waiting.progress == 1.0
    assert [error.line for error in RowError.objects.all()] == [501, 1001, 1501]
    assert Product.objects.count() == 1497


def test_a_repeated_sku_is_known_also_to_the_next_slice(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    Category.objects.create(name="Tables", slug="tables")
    upload = Upload(ada, NOW)
    rows = [b"A-%d,Desk,tables,1\n" % number for number in range(taking.BATCH)]
    upload.write(b"".join([b"sku,name,category,price\n", *rows, rows[0]]))
    row, _ = upload.finish("", None)

    assert one_slice(row, monkeypatch)
    running.work(row.pk, NOW)

    assert RowError.objects.get().message.startswith("Line 2 has it already.")


def test_nobody_works_on_what_somebody_holds(waiting: Import) -> None:
    waiting.__class__.objects.update(state=State.RUNNING, holder="another", held_until=NOW + timedelta(seconds=20))

    assert not running.work(waiting.pk, NOW)
    assert counts(waiting)[:2] == ("running", 0)

    running.work(waiting.pk, NOW + timedelta(seconds=21))
    assert counts(waiting)[:2] == ("done", ROWS)


def test_who_lost_an_import_writes_nothing_more(waiting: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was frozen comes back to life after another has taken over."""
    write = writing.write

    def late(rows: list[object], *, dry_run: bool) -> writing.Outcome:
        outcome = write(rows, dry_run=dry_run)
        Import.objects.update(holder="another")
        return outcome

    monkeypatch.setattr(writing, "write", late)

    assert not running.work(waiting.pk, NOW)

    assert not Product.objects.exists()
    assert not RowError.objects.exists()


def test_a_redelivery_after_the_end_does_nothing(waiting: Import) -> None:
    running.work(waiting.pk, NOW)
    before = counts(waiting)

    running.work(waiting.pk, LATER)

    assert counts(waiting) == before


def test_one_that_runs_ends_after_the_batch_at_hand(waiting: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    one_slice(waiting, monkeypatch)
    Import.objects.update(holder="me", held_until=LATER)
    running.cancel(waiting, NOW)
    assert counts(waiting)[0] == "running"
    Import.objects.update(held_until=NOW)

    assert not running.work(waiting.pk, LATER)

    assert counts(waiting)[:2] == ("cancelled", 500)
    assert Product.objects.count() == 499
    assert not Piece.objects.exists()


def test_one_that_nobody_works_on_is_cancelled_at_once(waiting: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    one_slice(waiting, monkeypatch)

    running.cancel(waiting, NOW)

    assert counts(waiting)[:2] == ("cancelled", 500)


def test_what_is_left_alone_is_sent_again(waiting: Import) -> None:
    """Its message was lost with a broker, or its worker killed."""
    assert running.left_alone(NOW + timedelta(seconds=10)) == []
    assert running.left_alone(NOW + timedelta(seconds=31)) == [waiting.pk]

    Import.objects.update(state=State.RUNNING, held_until=NOW + timedelta(seconds=20))
    assert running.left_alone(NOW + timedelta(seconds=19)) == []
    assert running.left_alone(NOW + timedelta(seconds=21)) == [waiting.pk]

    running.work(waiting.pk, LATER)
    assert running.left_alone(LATER + timedelta(days=1)) == []


def test_a_database_that_hiccups_is_tried_again_and_nothing_is_lost(
    waiting: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, calls = writing.write, []

    def hiccup(rows: list[object], *, dry_run: bool) -> writing.Outcome:
        calls.append(len(rows))
        if len(calls) == 2:
            raise OperationalError("deadlock detected")
        return write(rows, dry_run=dry_run)

    monkeypatch.setattr(writing, "write", hiccup)

    tasks.run_import.apply([str(waiting.pk)], throw=False)

    assert calls == [499, 499, 499, 499]
    assert counts(waiting) == ("done", 1500, 1497, 0, 3)


def test_an_error_of_ours_is_not_tried_again_and_says_so(
    waiting: Import, monkeypatch: pytest.MonkeyPatch, workers: None
) -> None:
    calls = []

    def broken(rows: list[object], *, dry_run: bool) -> writing.Outcome:
        calls.append(len(rows))
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(writing, "write", broken)
        with pytest.raises(ZeroDivisionError):
            tasks.run_import.delay(str(waiting.pk))

    assert len(calls) == 1
    assert counts(waiting)[:2] == ("failed", 0)
    assert "An error in the shop" in waiting.failure

    tasks.run_import.delay(str(waiting.pk))  # as staff does, once it is mended
    assert counts(waiting)[:2] == ("done", ROWS)
    assert waiting.failure == ""


def test_a_batch_that_takes_its_worker_with_it_is_not_begun_for_ever(waiting: Import) -> None:
    for number in range(running.MOST_ATTEMPTS):
        assert running._claim(waiting.pk, NOW + number * timedelta(minutes=1))

    assert not running.work(waiting.pk, LATER)

    assert counts(waiting)[:2] == ("failed", 0)
    assert "lost 5 times over one batch" in waiting.failure


def test_old_imports_and_broken_uploads_go(waiting: Import, ada: User) -> None:
    broken = Upload(ada, NOW)
    broken.write(b"x" * 300_000)
    running.fail(waiting.pk, NOW)

    assert running.remove_old(NOW + timedelta(minutes=59)) == (0, 0)
    assert running.remove_old(NOW + timedelta(minutes=61)) == (1, 0)
    assert Piece.objects.filter(of=waiting).exists()  # staff may run it again

    running.remove_old(NOW + timedelta(days=7, minutes=1))
    assert not Piece.objects.exists()
    assert not running.work(waiting.pk, LATER + timedelta(days=8))

    assert running.remove_old(NOW + timedelta(days=30, minutes=1)) == (0, 1)


def test_one_that_never_ends_is_given_up_with_its_file(waiting: Import) -> None:
    running.remove_old(NOW + timedelta(days=7, minutes=1))

    assert counts(waiting)[0] == "failed"
    assert not Piece.objects.exists()


def test_a_database_that_stays_away_does_not_fail_an_import(waiting: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    """When no try is left, Beat goes on with it."""
    calls = []

    def away(rows: list[object], *, dry_run: bool) -> writing.Outcome:
        calls.append(len(rows))
        raise OperationalError("the database system is starting up")

    monkeypatch.setattr(writing, "write", away)

    tasks.run_import.apply([str(waiting.pk)], throw=False)

    assert len(calls) == 25
    assert counts(waiting)[:2] == ("running", 0)
    assert running.left_alone(LATER) == [waiting.pk]
