"""A real server for the browser: gunicorn on a database of its own, which this process fills through the ORM."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.db import connection

from tests.e2e import processes

DATABASE = "browser"


@contextlib.contextmanager
def served(
    directory: Path, name: str = DATABASE, commands: Sequence[Sequence[str]] = (), **variables: str
) -> Iterator[str]:
    """Yields the server's address. It shares the tests' store, so that a clean store is clean for both.

    `commands` are Django's, run on its database before it serves; `variables` go over its environment.
    """
    port = processes.free_port()
    url = f"http://127.0.0.1:{port}"
    with processes.database(name) as database:
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
            "DATABASE_URL": database,
            "TRUSTED_PROXIES": "127.0.0.1",  # a test says who is calling by X-Forwarded-For
            "STATIC_ROOT": str(directory / "static"),
            "SPOOL_DIR": str(directory / "spool"),
            "PYTHONWARNINGS": "",
            **variables,
        }
        processes.manage(env, "migrate", "--verbosity", "0")
        processes.manage(env, "collectstatic", "--no-input", "--verbosity", "0")
        for command in commands:
            processes.manage(env, *command)
        with processes.running(processes.gunicorn(port), env, directory / "web.log") as web:
            processes.wait_until(lambda: web.poll() is not None or processes.is_healthy(url), "the web server's start")
            assert web.poll() is None, (directory / "web.log").read_text()
            yield url


@contextlib.contextmanager
def in_its_database() -> Iterator[None]:
    """The ORM of this process works on what the server does, as Django's runner points it at a test database."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = DATABASE
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def tables_to_empty() -> list[str]:
    """Returns the tables that `migrate` left empty. What it filled (groups, permissions, the schedule) stays."""
    with connection.cursor() as cursor:
        return [name for name in connection.introspection.table_names(cursor) if _is_empty(name)]


def empty(tables: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(map(connection.ops.quote_name, tables))} CASCADE")


def _is_empty(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT NOT EXISTS (SELECT FROM {connection.ops.quote_name(table)})")  # noqa: S608 - no caller's
        return bool(cursor.fetchone()[0])
