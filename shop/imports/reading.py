"""What does a CSV file say, row by row? Pieces of bytes come in, rows go out; one row is held at a time."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from shop.unseen import spelled_out

# By the names that the API and the command know them under.
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}

KEY = "sku"
COLUMNS = ("sku", "name", "category", "price", "currency", "stock", "active", "description", "slug")

# Far beyond the longest honest row, whose description has 10,000 letters of at most four bytes. Less than the 131,072
# at which Python's csv gives up a cell.
MAX_ROW_BYTES = 64 * 1024

# Of a bad value, in a message.
SHOWN = 80

BOM = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Unreadable(Exception):
    """The file cannot be read on: its text says which line is wrong, and what would be right."""


@dataclass(frozen=True, slots=True)
class Row:
    """`line` is where it begins, from 1. Where `problem` says something, there are no cells."""

    line: int
    cells: dict[str, str]
    problem: str = ""


def shown(value: str) -> str:
    """Returns a value as it can be shown anywhere: shortened, with all that is unseen spelled out."""
    cut = value[:SHOWN] + ("..." if len(value) > SHOWN else "")
    return spelled_out(cut)


class Table:
    """A file with its head read. Iterating gives its rows, once."""

    def __init__(self, pieces: Iterable[bytes], delimiter: str = "") -> None:
        """`delimiter`: one of DELIMITERS' values, or empty for the one that the head is written with.

        Raises Unreadable for a head that names no columns of ours.
        """
        self._lines = _Lines(pieces)
        head = next(self._lines, None)
        if head is None:
            raise Unreadable("The file is empty. Its first line must name the columns, as in: sku,name,category,price")
        self.delimiter = delimiter or _delimiter_of(head)
        self.columns = _columns_of(_cells(head, self.delimiter))
        self._reader = csv.reader(self._lines, delimiter=self.delimiter, strict=True)

    @property
    def bytes_read(self) -> int:
        return self._lines.bytes_read

    def __iter__(self) -> Iterator[Row]:
        """Raises Unreadable where a row has no end."""
        while True:
            # The head was one line; `line_num` counts what the reader has taken since.
            line = self._reader.line_num + 2
            self._lines.begin_row(line)
            try:
                cells = next(self._reader, None)
            except csv.Error as error:
                yield self._broken(line, error)
                continue
            if cells is None:
                return
            if cells:  # not an empty line
                yield self._row(line, cells)

    def _broken(self, line: int, error: csv.Error) -> Row:
        if self._reader.line_num > line - 1:  # it went on over other lines: which rows were they?
            raise Unreadable(f"Line {line}: a quotation mark is opened here and not closed.")
        return Row(line, {}, f"This is no row ({error}). A cell with quotation marks has them around it, and doubled.")

    def _row(self, line: int, cells: Sequence[str]) -> Row:
        if len(cells) != len(self.columns):
            problem = f"The row has {len(cells)} cells, and the first line names {len(self.columns)} columns."
            return Row(line, {}, problem)
        return Row(line, dict(zip(self.columns, cells, strict=True)))


class _Lines:
    """The lines of a file, as text; a byte that is no UTF-8 becomes a surrogate, which no cell may hold."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.bytes_read = 0
        self._row_line, self._row_bytes = 1, 0
        self._found = self._split(pieces)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._found)
        self.bytes_read += len(line)
        self._row_bytes += len(line)
        if self._row_bytes > MAX_ROW_BYTES:
            raise self._too_long()
        return line.decode("utf-8", "surrogateescape")

    def begin_row(self, line: int) -> None:
        self._row_line, self._row_bytes = line, 0

    def _split(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        rest, first = b"", True
        for piece in pieces:
            rest += piece
            if first and len(rest) >= len(BOM):
                rest, first = _without_mark(rest), False
            *whole, rest = rest.split(b"\n")
            for line in whole:
                yield line + b"\n"
            if self._row_bytes + len(rest) > MAX_ROW_BYTES:
                raise self._too_long()
        if rest:
            yield rest

    def _too_long(self) -> Unreadable:
        return Unreadable(
            f"Line {self._row_line}: the row that begins here is longer than {MAX_ROW_BYTES:,} bytes. Is a quotation "
            "mark not closed, or are there no line ends (LF or CRLF)?"
        )


def _without_mark(start: bytes) -> bytes:
    if start.startswith(UTF_16):
        raise Unreadable("The file is UTF-16. Save it as UTF-8.")
    return start.removeprefix(BOM)


def _delimiter_of(head: str) -> str:
    for delimiter in DELIMITERS.values():
        # With another one, quotation marks may stand where none may.
        with suppress(Unreadable):
            if KEY in _names(_cells(head, delimiter)):
                return delimiter
    raise Unreadable(
        f"Line 1 names no column `{KEY}`. It must name columns ({', '.join(COLUMNS)}), separated by comma, semicolon, "
        f"tab or pipe, and end by LF or CRLF; but it is: {shown(head)}"
    )


def _cells(head: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([head], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise Unreadable(f"Line 1 names no columns ({error}). Lines end by LF or CRLF.") from error


def _names(cells: Sequence[str]) -> list[str]:
    return [cell.strip().lower() for cell in cells]


def _columns_of(cells: Sequence[str]) -> tuple[str, ...]:
    names = _names(cells)
    for number, name in enumerate(names, 1):
        if not name:
            raise Unreadable(f"Line 1: column {number} has no name. Known ones are {', '.join(COLUMNS)}.")
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, 1)
            hint = f"Do you mean {near[0]}?" if near else f"Known ones are {', '.join(COLUMNS)}."
            raise Unreadable(f"Line 1: there is no column {shown(name)!r}. {hint}")
        if names.count(name) > 1:
            raise Unreadable(f"Line 1 names the column {name} {names.count(name)} times. Name it once.")
    if KEY not in names:
        raise Unreadable(f"Line 1 names no column `{KEY}`, by which products are known.")
    return tuple(names)
