from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from shop.imports import taking
from shop.imports.cells import Fault
from shop.imports.reading import DELIMITERS, Table, Unreadable, shown
from shop.imports.taking import Seen
from shop.imports.uploading import PIECE_BYTES
from shop.imports.writing import Outcome

FAULTS_SHOWN = 20
# Between two lines about how far it is, where no terminal draws a bar.
ROWS_A_LINE = 10_000
INTERRUPTED = 130  # what shells report for Ctrl-C


@dataclass
class Told:
    """What became of the rows so far; of the faults, the first ones and how many there are."""

    rows: int = 0
    failed: int = 0
    faults: int = 0
    shown: list[Fault] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)

    def add(self, rows: int, outcome: Outcome) -> None:
        self.rows += rows
        self.failed += taking.failed_rows(outcome)
        self.faults += len(outcome.faults)
        self.shown += outcome.faults[: FAULTS_SHOWN - len(self.shown)]
        self.outcome.add(replace(outcome, faults=[]))


class Command(BaseCommand):
    help = (
        "Brings products from a CSV file into the catalogue, known by their SKU. The same file again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="CSV in UTF-8; its first line names the columns")
        parser.add_argument("--dry-run", action="store_true", help="only say what it would do")
        parser.add_argument(
            "--delimiter", choices=DELIMITERS, help="of the cells (default: what the first line is written with)"
        )

    def handle(self, *, file: str, dry_run: bool, delimiter: str | None, **options: Any) -> None:
        try:
            with _opened(Path(file)) as stream:
                told = self._take(stream, DELIMITERS.get(delimiter or "", ""), dry_run=dry_run)
        except OSError as error:
            raise CommandError(f"{shown(file)} cannot be read: {error.strerror}.") from error
        except Unreadable as error:
            raise CommandError(f"{shown(file)}: {error} What was written before that stays.") from error
        except DatabaseError as error:
            raise CommandError(f"The database failed ({type(error).__name__}). Import the file again.") from error
        except KeyboardInterrupt:
            self.stderr.write("Interrupted. What was written stays; import the file again to go on.")
            raise SystemExit(INTERRUPTED) from None
        self._tell(told, dry_run)

    def _take(self, stream: IO[bytes], delimiter: str, *, dry_run: bool) -> Told:
        console, told = Console(stderr=True), Told()
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            bar = progress.add_task("products", total=os.fstat(stream.fileno()).st_size or None)
            table, seen = Table(iter(lambda: stream.read(PIECE_BYTES), b""), delimiter), Seen()
            for batch in taking.batches(table, seen):
                told.add(len(batch), taking.take(batch, seen, dry_run=dry_run))
                progress.update(bar, completed=table.bytes_read)
                if not console.is_terminal and told.rows % ROWS_A_LINE == 0:
                    self.stdout.write(f"{told.rows:,} rows")
        return told

    def _tell(self, told: Told, dry_run: bool) -> None:
        for fault in told.shown:
            value = f" {fault.value!r}" if fault.value else ""
            self.stderr.write(f"line {fault.line}, {fault.column or 'row'}:{value} {fault.message}")
        if told.faults > len(told.shown):
            self.stderr.write(f"... and {told.faults - len(told.shown):,} errors more")
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"{told.rows:,} rows: {told.outcome.created:,} {would}created, {told.outcome.updated:,} {would}updated, "
            f"{told.outcome.unchanged:,} unchanged, {told.failed:,} not taken."
        )
        if told.failed:
            raise CommandError("Some rows are wrong. Mend them, and import the file again: the others will not change.")


def _opened(path: Path) -> IO[bytes]:
    """Raises OSError; also for a pipe, which would wait for ever, and whose size nobody knows."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is no file")
    return path.open("rb")
