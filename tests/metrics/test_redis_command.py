"""`manage.py redis_stats`, as a person or a program at the other end of it meets it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from metrics.redis_stats import baseline
from metrics.redis_stats.look import Look, Watcher
from metrics.redis_stats.reading import Failure, of_info
from metrics.redis_stats.servers import Server as Address
from metrics.redis_stats.table import WIDTH, line, table
from metrics.redis_stats.window import Counts
from metrics.tasks import export_redis_stats
from tests.e2e.processes import ROOT, wait_until
from tests.metrics.redis_server import Server, running

HERE = Address("redis://cache:6379", "cache.example", "6379")
AWAY = "redis://:hunter2@127.0.0.1:1"


def shown(*args: str) -> str:
    out = StringIO()
    call_command("redis_stats", *args, stdout=out, no_color=True)
    return out.getvalue()


@pytest.mark.django_db
def test_one_look_shows_both_ratios_and_moves_no_baseline(watched: Server) -> None:
    watched.look_up(hits=1, misses=1)
    assert "nothing was exported since it began to count" in shown()
    export_redis_stats()
    assert "no lookups" in shown()
    watched.look_up(hits=2, misses=1)

    text = shown()

    rows = {line[2:15].strip(): line.split()[-4:] for line in text.splitlines()}
    assert rows["hit ratio"] == ["60.0%", "found", "66.7%", "found"]
    assert rows["hits"][-2:] == ["3", "2"]
    assert rows["misses"][-2:] == ["2", "1"]
    assert f"127.0.0.1:{watched.port}   master" in text
    for name in ("evictions", "expirations", "memory", "clients", "commands", "ping", "keys"):
        assert name in rows
    (left,) = baseline.standing(datetime.now(UTC)).values()
    assert left.version == 1


@pytest.mark.django_db
def test_json_says_the_same_to_programs(watched: Server) -> None:
    export_redis_stats()
    watched.look_up(hits=3, misses=1)

    (server,) = json.loads(shown("--format", "json"))["servers"]

    assert server["window"] == {"hits": 3, "misses": 1, "evicted": 0, "expired": 0, "hit_ratio": 0.75}
    assert server["lifetime"] == server["window"]
    assert server["name"] == f"127.0.0.1:{watched.port}"
    assert server["keys"] == {"0": 1}
    assert server["memory_max_bytes"] is None
    assert server["window_s"] > 0


@pytest.mark.django_db
def test_addresses_given_are_looked_at_instead(valkey: Server, settings: Settings) -> None:
    settings.METRICS = {"STRICT": True, "REDIS_URLS": [AWAY]}

    assert "master" in shown(valkey.url)


@pytest.mark.django_db
def test_a_server_that_gives_no_numbers_is_told_beside_the_others(watched: Server) -> None:
    out = StringIO()

    with pytest.raises(CommandError, match="1 of 2 servers gave no numbers") as failed:
        call_command("redis_stats", AWAY, watched.url, stdout=out, no_color=True)

    assert failed.value.returncode == 1
    assert "127.0.0.1:1   NO NUMBERS\n  it cannot be reached" in out.getvalue()
    assert "hit ratio" in out.getvalue()
    assert "hunter2" not in out.getvalue()


def test_no_server_at_all_is_an_error(settings: Settings) -> None:
    settings.METRICS = {"STRICT": True}

    with pytest.raises(CommandError, match="REDIS_URLS'] is empty"):
        shown()


@pytest.mark.parametrize("args", [["redis://a", "redis://:hunter2@a:port"], ["--watch", "redis://a", "hunter2"]])
def test_a_wrong_address_is_told_by_its_place(args: list[str]) -> None:
    with pytest.raises(CommandError, match="Address 2 of the command line is wrong") as failed:
        shown(*args)

    assert "hunter2" not in str(failed.value)


@pytest.mark.parametrize("interval", ["0", "-1", "nan", "inf", "soon", "", "1e999"])
def test_an_interval_that_is_none_is_refused(interval: str) -> None:
    with pytest.raises(CommandError, match="is no number of seconds"):
        shown("--watch", f"--interval={interval}", AWAY)


def test_an_interval_without_a_watch_is_refused() -> None:
    with pytest.raises(CommandError, match="add --watch"):
        shown("--interval", "3", AWAY)


def reading(**info: Any) -> Any:
    return of_info(HERE, {"redis_version": "7.0.15", "role": "master", **info}, 0.00031)


BUSY = {
    "uptime_in_seconds": 400_000_000, "keyspace_hits": 9_123_456_789_012, "keyspace_misses": 123_456_789_012,
    "evicted_keys": 123_456_789_012, "expired_keys": 123_456_789_012, "used_memory": 98_765_432_109,
    "maxmemory": 137_438_953_472, "connected_clients": 10_000, "blocked_clients": 1_234,
    "instantaneous_ops_per_sec": 123_456, **{f"db{number}": {"keys": 123_456_789} for number in range(64)},
}  # fmt: skip


@pytest.mark.parametrize(
    "look",
    [
        Look(reading(**BUSY), Counts(9_123_456_789_012, 1, 2, 3), 86_400.0, "it answers again"),
        Look(reading(), Counts(None, None, None, None), 0.0),
        Look(reading(), None, None, "nothing was exported since it began to count"),
        Failure("cache.example:6379", "it cannot be reached: " + "Name or service not known, and so on. " * 20),
    ],
)
def test_a_table_is_no_wider_than_a_terminal(look: Look | Failure) -> None:
    assert max(len(line) for line in table(look, "the last export")) <= WIDTH


def test_what_a_server_hides_is_said_to_be_hidden() -> None:
    text = "\n".join(table(Look(reading(keyspace_hits=3), None, None), "the last export"))

    assert text.count("not told") == 8
    assert "None" not in text


def test_a_name_from_a_stranger_moves_no_cursor() -> None:
    evil = of_info(Address("", "a\x1b[2Jb\n", "1"), {"redis_version": "7"}, None)

    for text in (*table(Look(evil, None, None), "the last look"), line(Look(evil, None, None))):
        assert text.isprintable()


def test_a_watcher_tells_what_came_since_its_own_last_look(valkey: Server) -> None:
    watcher, other = Watcher([valkey.url]), Watcher([valkey.url])
    watcher.look(100.0)
    valkey.look_up(hits=5, misses=2)
    other.look(101.0)

    (look,) = watcher.look(102.5)

    assert isinstance(look, Look)
    assert look.counts == Counts(5, 2, 0, 0)
    assert look.seconds == 2.5


def test_a_watcher_tells_of_a_restart_and_goes_on(valkey: Server) -> None:
    watcher = Watcher([valkey.url])
    watcher.look(0.0)
    valkey.stop()
    (away,) = watcher.look(1.0)
    valkey.start()
    (back,) = watcher.look(2.0)
    valkey.look_up(hits=5, misses=2)
    (later,) = watcher.look(3.0)

    assert isinstance(away, Failure)
    assert isinstance(back, Look)
    assert isinstance(later, Look)
    assert (back.counts, back.note) == (None, "it was restarted, or another server took its address: counting anew")
    assert (later.counts, later.note) == (Counts(5, 2, 0, 0), "")


def test_a_watcher_tells_of_an_absence_and_of_a_reset(valkey: Server) -> None:
    watcher = Watcher([valkey.url])
    watcher.look(0.0)
    with valkey.frozen():
        watcher.look(1.0)
    (back,) = watcher.look(2.0)
    valkey.client.config_resetstat()
    (reset,) = watcher.look(3.0)

    assert isinstance(back, Look)
    assert isinstance(reset, Look)
    assert (back.counts, back.note) == (Counts(0, 0, 0, 0), "it answers again")
    assert (reset.counts, reset.note) == (None, "its statistics were reset: counting anew")


NO_DATABASE = {"DATABASE_URL": "sqlite://:memory:"}  # one without tables


def start(*args: str, **options: Any) -> subprocess.Popen[str]:
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "sentinel.settings", "TERM": "xterm", **NO_DATABASE}
    environ.pop("PYTHONUNBUFFERED", None)  # with it Python holds nothing back that could fail at its end
    command = [sys.executable, "manage.py", "redis_stats", *args]
    return subprocess.Popen(
        command, env=environ, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options
    )


@contextlib.contextmanager
def watching(*args: str) -> Iterator[subprocess.Popen[str]]:
    """A watch whose output is a pipe."""
    process = start("--watch", "--interval", "0.1", *args, stdout=subprocess.PIPE)
    with process:
        yield process
        process.kill()


@pytest.fixture
def valkey() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_watch_in_a_pipe_is_lines_and_ends_when_asked_to(valkey: Server, number: signal.Signals) -> None:
    with watching(valkey.url) as process:
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(number)
        rest, said = process.communicate(timeout=10)

    assert process.returncode == 0
    assert said == ""
    assert all(f"127.0.0.1:{valkey.port} master" in line for line in lines)
    assert "\x1b" not in "".join(lines) + rest


def test_one_look_that_is_interrupted_ends_without_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        process = start(f"redis://127.0.0.1:{silent.getsockname()[1]}?socket_timeout=20", stdout=subprocess.PIPE)
        connection, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        silent.close()  # first, so that it cannot connect again
        connection.close()
        _, said = process.communicate(timeout=10)

    assert process.returncode == 130
    assert "Traceback" not in said


def test_a_watch_in_json_is_one_document_a_line(valkey: Server) -> None:
    with watching(valkey.url, "--format", "json") as process:
        first, second = (json.loads(process.stdout.readline())["servers"][0] for _ in range(2))

    assert first["window"] is None
    assert second["window"]["hits"] == 0


def test_a_watch_outlives_the_server(valkey: Server) -> None:
    def next_with(word: str) -> str:
        return next(line for line in process.stdout if word in line)

    with watching(valkey.url) as process:
        process.stdout.readline()
        valkey.stop()
        assert "cannot be reached" in next_with("NO NUMBERS")
        valkey.start()
        assert "counting anew" in next_with("master")


@pytest.mark.parametrize("args", [[], ["--watch", "--interval", "0.1"], ["--watch", "--interval=0.1", "--format=json"]])
def test_a_reader_that_leaves_is_no_error(valkey: Server, args: list[str]) -> None:
    reading_end, writing_end = os.pipe()
    process = start(*args, valkey.url, stdout=writing_end)
    os.close(writing_end)
    if args:
        os.read(reading_end, 1)
    os.close(reading_end)

    _, said = process.communicate(timeout=20)

    assert said in {"", "The database did not tell of the last export (OperationalError).\n"}
    assert process.returncode == 0


def test_on_a_terminal_a_watch_draws_over_itself(valkey: Server) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = start("--watch", "--interval", "0.1", valkey.url, stdout=theirs)
    os.close(theirs)
    seen = b""

    def has_drawn_twice() -> bool:
        nonlocal seen
        if select.select([ours], [], [], 0.1)[0]:
            seen += os.read(ours, 65_536)
        return seen.count(b"\x1b[2J") > 2

    wait_until(has_drawn_twice, "the second drawing", deadline_s=20)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    os.close(ours)

    assert (process.returncode, said) == (0, "")
    screen = seen.decode().split("\x1b[2J\x1b[H")[1].splitlines()
    assert "every 0.1 s; Ctrl-C ends it" in screen[0]
    assert len(screen) < 24
    assert max(map(len, screen)) < 80
