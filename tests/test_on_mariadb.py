"""MariaDB, which stands for MySQL too: the shop's tests there, and what a user's DATABASE_URL gets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mariadb import ask, mariadb

ROOT = Path(__file__).parent.parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("TEST_DATABASE_URL" in os.environ, reason="this is the run on another database"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="mariadb-") as directory, mariadb(Path(directory)) as url:
        yield url


def run(url: str, *command: str) -> subprocess.CompletedProcess[str]:
    # Another run of the tests has a directory of its own for PostgreSQL; what this one's workers are called is its own.
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**ours, "DJANGO_SETTINGS_MODULE": "sentinel.settings", "DATABASE_URL": url, "TEST_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def test_the_shop_holds_on_mariadb(url: str) -> None:
    result = run(url, "-m", "pytest", "-q", "-m", "not slow", "-n", "2", "--dist", "worksteal", "tests/shop")

    assert result.returncode == 0, result.stdout[-6_000:] + result.stderr[-2_000:]


def test_a_server_is_set_up_there_and_warned_of_indexes_alone(url: str) -> None:
    """W037: an index over some rows only is left out. What is slower for it, docs/deployment.md says."""
    ask(url, "CREATE DATABASE sentinel CHARACTER SET utf8mb4")

    done = [
        run(url, "manage.py", *command)
        for command in (
            ["migrate", "--verbosity", "0"],
            ["check", "--database", "default"],
            ["makemigrations", "--check", "--dry-run"],
            ["seed_shop", "--products", "20"],
        )
    ]

    assert [each.returncode for each in done] == [0] * 4, [each.stdout + each.stderr for each in done]
    assert set(re.findall(r"\((\S+\.[EW]\d+)\)", done[1].stderr)) == {"models.W037"}
    assert ask(url, "SELECT COUNT(*) FROM sentinel.catalogue_product") == [(20,)]


def test_what_does_not_fit_is_refused_and_not_cut(url: str) -> None:
    asks = "from django.db import connection as c; k = c.cursor(); k.execute('SELECT @@sql_mode, @@tx_isolation, "
    asks += "@@character_set_connection'); print(*k.fetchone())"

    said = run(url.replace("/sentinel", "/mysql"), "manage.py", "shell", "-v", "0", "-c", asks).stdout.split()

    assert "STRICT_ALL_TABLES" in said[0].split(",")
    assert said[1:] == ["READ-COMMITTED", "utf8mb4"]


def test_a_database_of_few_letters_is_refused_before_it_is_filled(url: str) -> None:
    ask(url, "CREATE DATABASE western CHARACTER SET latin1")

    result = run(url.replace("/sentinel", "/western"), "manage.py", "migrate")

    assert result.returncode == 1
    assert "The database western holds text as latin1." in result.stderr
    assert "ALTER DATABASE western CHARACTER SET utf8mb4" in result.stderr
    assert ask(url, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'western'") == [(0,)]
