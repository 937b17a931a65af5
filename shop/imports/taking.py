"""A whole file, batch by batch: what the task and the command do alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from shop.imports import writing
from shop.imports.cells import Checked, Fault, check, fault
from shop.imports.reading import Row, Table, Unreadable
from shop.imports.writing import Outcome

# Written in one transaction: half a second's work at most, so nobody waits long for a product that is held.
BATCH = 500
# What is remembered of each row, that no other has its SKU, is about a hundred bytes.
MOST_ROWS = 500_000


@dataclass
class Seen:
    """Which SKUs and slugs the rows so far have named, and in which line: by Python's hash, which is eight bytes."""

    lines: dict[int, int] = field(default_factory=dict)

    def first(self, column: str, value: str, line: int) -> int:
        """Returns the line that named it first, which may be this one."""
        return self.lines.setdefault(hash((column, value)), line)


def batches(table: Table, seen: Seen, skip: int = 0) -> Iterator[list[Row]]:
    """Yields the rows behind the first `skip`. Raises Unreadable; what was read before it is yielded first."""
    rows = iter(table)
    for row in islice(rows, skip):
        _remember(row, seen)
    done = skip
    while True:
        batch: list[Row] = []
        try:
            batch.extend(islice(rows, BATCH))
        except Unreadable:
            if batch:
                yield batch
            raise
        if not batch:
            return
        done += len(batch)
        if done > MOST_ROWS:
            raise Unreadable(f"Line {batch[-1].line}: the file has more than {MOST_ROWS:,} rows. Divide it.")
        yield batch


def take(batch: list[Row], seen: Seen, *, dry_run: bool) -> Outcome:
    """Writes the good rows and tells why the others were not taken, in their order."""
    outcome = Outcome()
    good: list[Checked] = []
    for row in batch:
        faults = _again(row, seen)
        found = check(row)
        if isinstance(found, list):
            faults += found
        elif not faults:
            good.append(found)
        outcome.faults += faults
    outcome.add(writing.write(good, dry_run=dry_run))
    outcome.faults.sort(key=lambda each: each.line)
    return outcome


def failed_rows(outcome: Outcome) -> int:
    """Returns how many rows were not taken: one may have several faults."""
    return len({each.line for each in outcome.faults})


def _again(row: Row, seen: Seen) -> list[Fault]:
    """A SKU or a slug that an earlier row has: the first one stands, whichever cells were right."""
    found = []
    for column, value, first in _remember(row, seen):
        if first != row.line:
            found.append(fault(row.line, column, value, f"Line {first} has it already. Name each once."))
    return found


def _remember(row: Row, seen: Seen) -> list[tuple[str, str, int]]:
    named = [(column, row.cells.get(column, "").strip()) for column in ("sku", "slug")]
    return [(column, value, seen.first(column, value, row.line)) for column, value in named if value]
