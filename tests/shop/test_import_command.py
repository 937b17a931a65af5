"""`import_products`: a file from a shell."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from shop.catalogue.models import Category, Product
from shop.imports import taking
from shop.imports.management.commands import import_products

pytestmark = pytest.mark.django_db

HEAD = "sku,name,category,price\n"


@pytest.fixture(autouse=True)
def _category(db: None) -> None:
    Category.objects.create(name="Tables", slug="tables")


def written(directory: Path, text: str | bytes) -> str:
    path = directory / "autumn.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def run(*args: str) -> tuple[str, str]:
    """Returns what it printed; raises CommandError."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_products", *args, stdout=out, stderr=err)
    except CommandError as error:
        error.args = (*error.args, out.getvalue(), err.getvalue())
        raise
    return out.getvalue(), err.getvalue()


def test_a_good_file_is_taken_and_counted(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "A-1,Desk,tables,1\nB-1,Rug,tables,2\n")

    assert run(path) == ("2 rows: 2 created, 0 updated, 0 unchanged, 0 not taken.\n", "")
    assert run(path) == ("2 rows: 0 created, 0 updated, 2 unchanged, 0 not taken.\n", "")
    assert Product.objects.count() == 2


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    out, _ = run(written(tmp_path, HEAD + "A-1,Desk,tables,1\n"), "--dry-run")

    assert out == "1 rows: 1 would be created, 0 would be updated, 0 unchanged, 0 not taken.\n"
    assert not Product.objects.exists()


def test_a_delimiter_can_be_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Line 1: there is no column 'sku;name'"):
        run(written(tmp_path, "sku;name\nA;a\n"), "--delimiter", "comma")


def test_bad_rows_are_shown_and_the_exit_code_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "A-1,Desk,tables,ten\x1b[2J\n" + "B-1,Rug,tables,1\n" + "C,,tables,1\n" * 30)

    with pytest.raises(CommandError, match="Some rows are wrong") as failed:
        run(path)

    assert failed.value.returncode == 1
    out, err = failed.value.args[1:]
    assert out == "32 rows: 1 created, 0 updated, 0 unchanged, 31 not taken.\n"
    lines = err.splitlines()
    assert lines[0].startswith("line 2, price: 'ten\\\\x1b[2J' A valid number is required.")
    assert len(lines) == import_products.FAULTS_SHOWN + 1
    assert lines[-1] == "... and 40 errors more"
    assert Product.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("missing.csv", None, "cannot be read: No such file or directory", id="missing"),
        pytest.param(".", None, "cannot be read: it is no file", id="directory"),
        pytest.param("/dev/zero", None, "cannot be read: it is no file", id="device"),
        pytest.param("empty.csv", b"", "The file is empty", id="empty"),
        pytest.param("picture.csv", b"\x89PNG\r\n", "names no column `sku`", id="picture"),
    ],
)
def test_what_is_no_file_of_products_is_a_clear_error(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CommandError, match=said):
        run(str(path))


def test_where_no_terminal_is_lines_say_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_products, "ROWS_A_LINE", 500)
    rows = "".join(f"A-{number},Desk {number},tables,1\n" for number in range(1001))

    out, err = run(written(tmp_path, HEAD + rows))

    assert out.splitlines()[:2] == ["500 rows", "1,000 rows"]
    assert err == ""


ON_A_DATABASE_OF_ITS_OWN = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, where a shell has put the tests into the background
import django
django.setup()
from django.core.management import call_command
from django.db import connection
call_command("migrate", verbosity=0)
from shop.catalogue.models import Category
Category.objects.create(name="Tables", slug="tables")
call_command("import_products", {path!r})
"""


@contextmanager
def on_a_terminal(tmp_path: Path, rows: int) -> Iterator[tuple[subprocess.Popen[bytes], Iterator[bytes]]]:
    """Yields the running command, and what it shows until it ends."""
    path = written(tmp_path, HEAD + "".join(f"A-{number},Desk {number},tables,1\n" for number in range(rows)))
    ours, theirs = pty.openpty()
    env = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "TERM": "xterm", "COLUMNS": "100"}
    script = ON_A_DATABASE_OF_ITS_OWN.format(path=path)
    with subprocess.Popen([sys.executable, "-c", script], env=env, stdout=subprocess.PIPE, stderr=theirs) as child:
        os.close(theirs)
        yield child, iter(lambda: _read(ours), b"")
    os.close(ours)


@pytest.mark.slow
def test_a_terminal_shows_a_bar(tmp_path: Path) -> None:
    with on_a_terminal(tmp_path, rows=3000) as (child, pieces):
        shown = b"".join(pieces)
        out = child.stdout.read() if child.stdout else b""

    assert child.returncode == 0, shown
    assert "━".encode() in shown
    assert out == b"3,000 rows: 3,000 created, 0 updated, 0 unchanged, 0 not taken.\n"


@pytest.mark.slow
def test_who_interrupts_it_keeps_what_was_written(tmp_path: Path) -> None:
    shown, is_interrupted = b"", False
    with on_a_terminal(tmp_path, rows=20_000) as (child, pieces):
        for piece in pieces:
            shown += piece
            if not is_interrupted and re.search(rb"m[1-9]\d*\.\d/", shown):
                child.send_signal(signal.SIGINT)
                is_interrupted = True

    assert child.returncode == 130, shown
    assert b"Interrupted. What was written stays; import the file again to go on." in shown
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
        (count,) = database.execute("SELECT count(*) FROM catalogue_product").fetchone()
    assert 0 < count < 20_000
    assert count % taking.BATCH == 0  # whole batches


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # whoever wrote has ended
        return b""
