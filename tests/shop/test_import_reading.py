"""CSV as the world writes it: which rows it says, at which lines, and what is wrong with it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator

import pytest

from shop.imports.reading import MAX_ROW_BYTES, Row, Table, Unreadable, shown


def rows(text: bytes, delimiter: str = "", piece: int = 7) -> list[Row]:
    """Read in small pieces, so that every line lies across some."""
    return list(Table((text[at : at + piece] for at in range(0, len(text), piece)), delimiter))


def cells(text: bytes, delimiter: str = "") -> list[tuple[int, list[str]]]:
    return [(row.line, list(row.cells.values())) for row in rows(text, delimiter)]


@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
def test_pieces_do_not_matter(piece: int) -> None:
    """Wherever a file is cut into pieces, also within a mark, a letter or a line end, its rows are the same."""
    text = b'\xef\xbb\xbfsku,name\r\nA,"Stra\xc3\x9fe\r\n2"\r\nB,b\r\n'

    assert [(row.line, row.cells) for row in rows(text, piece=piece)] == [
        (2, {"sku": "A", "name": "Straße\r\n2"}),
        (4, {"sku": "B", "name": "b"}),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(b"sku;name\nA;a,b\n", [(2, ["A", "a,b"])], id="semicolon"),
        pytest.param(b"sku\tname\nA\ta\n", [(2, ["A", "a"])], id="tab"),
        pytest.param(b"name|sku\na|A\n", [(2, ["a", "A"])], id="pipe"),
        pytest.param(b'"sku";"name"\n"A";"a"\n', [(2, ["A", "a"])], id="quoted-head"),
        pytest.param(b" SKU , Name \nA,a\n", [(2, ["A", "a"])], id="capitals-and-blanks"),
        pytest.param(b"sku\nA", [(2, ["A"])], id="one-column-without-end"),
        pytest.param(b"sku,name\n\n\r\nA,a\n\n", [(4, ["A", "a"])], id="empty-lines"),
        pytest.param(b'sku,name\nA,"a\n\nb"\nB,"x ""y"""\n', [(2, ["A", "a\n\nb"]), (5, ["B", 'x "y"'])], id="quotes"),
        pytest.param(b"sku,name\nA,=1+1\n", [(2, ["A", "=1+1"])], id="formula"),
        pytest.param(b"sku,name\nA,a\x00b\n", [(2, ["A", "a\x00b"])], id="nul"),
        pytest.param(b"sku,name\nA,caf\xe9\n", [(2, ["A", "caf\udce9"])], id="latin-1"),
        pytest.param(b"sku,name\n", [], id="no-rows"),
    ],
)
def test_what_is_written_is_read(text: bytes, found: list[object]) -> None:
    assert cells(text) == found


def test_a_delimiter_that_is_said_is_not_guessed() -> None:
    with pytest.raises(Unreadable, match="no column 'sku;name'"):
        rows(b"sku;name\nA;a\n", ",")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(b"", "The file is empty", id="empty"),
        pytest.param(b"\xff\xfes\x00k\x00u\x00", "UTF-16. Save it as UTF-8", id="utf-16"),
        pytest.param(b"name,price\na,1\n", "names no column `sku`", id="no-sku"),
        pytest.param(b"sku,prize\nA,1\n", "no column 'prize'. Do you mean price?", id="unknown"),
        pytest.param(b"sku,colour\x1b[2J\nA,1\n", r"no column 'colour\\\\x1b\[2j'. Known ones are", id="escape"),
        pytest.param(b"sku,name,name\nA,a,b\n", "names the column name 2 times", id="doubled"),
        pytest.param(b"sku,\nA,1\n", "column 2 has no name", id="nameless"),
        pytest.param(b'sku,name\nA,"a\nB,b\nC,c\n', "Line 2: a quotation mark is opened here", id="open-quote"),
        pytest.param(b"sku,name\rA,a\rB,b\r", "end by LF or CRLF", id="old-mac"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\x00", "names no column `sku`", id="picture"),
        pytest.param(b"PK\x03\x04" + b"\x00" * 300, "names no column `sku`", id="xlsx"),
    ],
)
def test_what_is_no_file_of_products_says_why(text: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        rows(text)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        pytest.param(b"A,a,b", "has 3 cells, and the first line names 2", id="too-many"),
        pytest.param(b"A", "has 1 cells, and the first line names 2", id="too-few"),
        pytest.param(b'A,"a"b', "This is no row", id="text-behind-quotes"),
    ],
)
def test_a_row_that_is_none_does_not_hide_the_next(row: bytes, problem: str) -> None:
    broken, good = rows(b"sku,name\n" + row + b"\nB,b\n")

    assert (broken.line, broken.cells) == (2, {})
    assert problem in broken.problem
    assert (good.line, good.cells) == (3, {"sku": "B", "name": "b"})


def test_a_line_of_ten_megabytes_is_refused_and_never_held() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"sku,name\nA,a\nB,"
        for _ in range(160):
            yield b"x" * 64 * 1024

    tracemalloc.start()
    with pytest.raises(Unreadable, match=f"Line 3: the row that begins here is longer than {MAX_ROW_BYTES:,} bytes"):
        list(Table(pieces()))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 2**20


def test_a_quotation_mark_that_is_never_closed_does_not_take_the_rest_into_memory() -> None:
    lines: Iterable[bytes] = (b"x,y\n" * 10_000 for _ in range(300))

    with pytest.raises(Unreadable, match="Line 2: the row that begins here"):
        list(Table(piece for part in ([b'sku,name\n"A,a\n'], lines) for piece in part))


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ("a\x00b\x1b[2J", "a\\x00b\\x1b[2J"),
        ("caf\udce9", "caf\\xe9"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("x" * 100, "x" * 80 + "..."),
        ("<b>ä</b>", "<b>ä</b>"),
    ],
)
def test_a_value_is_shown_short_and_with_nothing_unseen(value: str, safe: str) -> None:
    assert shown(value) == safe
