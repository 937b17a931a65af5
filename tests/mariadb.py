"""A MariaDB server of the tests' own: on a unix socket, with Debian's program, ended by its own process."""

from __future__ import annotations

import getpass
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

from tests.required import require

START_DEADLINE_S = 30.0


@contextmanager
def mariadb(directory: Path) -> Iterator[str]:
    """Yields the URL of a server that holds only its own tables; the path of the directory must be short."""
    data, place = directory / "data", directory / "s"
    installer = require("mariadb-install-db", "Debian's mariadb-server")
    where = [f"--datadir={data}", f"--user={getpass.getuser()}"]
    subprocess.run(
        [installer, "--no-defaults", *where, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=60,
    )
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                require("mariadbd", "Debian's mariadb-server"),
                *("--no-defaults", *where, f"--socket={place}", f"--pid-file={directory / 'pid'}"),
                *("--skip-networking", "--skip-log-bin", "--character-set-server=utf8mb4"),
                "--innodb-flush-log-at-trx-commit=0",  # these data need not outlive a power cut
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(process, place, directory / "log")
        yield f"mysql://root@localhost/sentinel?unix_socket={place}"
    finally:
        process.terminate()
        process.wait(30)


def ask(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Runs the statements outside any database; returns the rows of the last."""
    with pymysql.connect(user="root", unix_socket=url.partition("unix_socket=")[2]) as connection:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())


def _wait_for(process: subprocess.Popen[bytes], place: Path, log: Path) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        # Not by PyMySQL, which leaves a socket open where it was refused.
        with socket.socket(socket.AF_UNIX) as caller:
            if caller.connect_ex(str(place)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"MariaDB did not start: {log.read_text('utf-8', 'replace')[-2_000:]}")
