"""On a real Valkey of our own: no other test may look a key up in it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from metrics import emit, redis_stats
from metrics.catalogue import EXPORTER_RESETS, EXPORTER_RUNS, REDIS_HIT_RATIO, REDIS_HITS, REDIS_MISSES
from metrics.redis_stats import Lookups, peek, take
from metrics.tasks import export_redis_stats
from sentinel.embedded import start_valkey, store_url
from tests.dogstatsd import Receiver


class Server:
    """A Valkey in a directory of its own that can be stopped and started again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.url = store_url(directory)
        self.start()

    def start(self) -> None:
        # It keeps its data: the baseline must not be trusted because it is still there.
        self.process = start_valkey(self.directory, keep=True)
        self.client = redis.Redis.from_url(self.url)

    def stop(self) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait(10)

    def look_up(self, hits: int, misses: int) -> None:
        pipeline = self.client.pipeline(transaction=False)
        pipeline.set("there", 1)
        for _ in range(hits):
            pipeline.get("there")
        for _ in range(misses):
            pipeline.get("not there")
        pipeline.execute()


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    with TemporaryDirectory(prefix="valkey-") as directory:
        server = Server(Path(directory))
        settings.METRICS = {"STRICT": True, "REDIS_URLS": [server.url]}
        yield server
        server.stop()


def test_the_first_reading_only_begins(server: Server) -> None:
    server.look_up(hits=2, misses=1)

    reading = take(server.url)

    assert reading.window is None
    assert reading.lifetime == Lookups(2, 1)
    assert (reading.host, reading.port, reading.role) == (str(server.directory / "valkey.sock"), "0", "master")


def test_known_lookups_are_reported_exactly(server: Server) -> None:
    take(server.url)

    for hits, misses in [(7, 3), (0, 5), (4, 0), (0, 0), (1000, 1)]:
        server.look_up(hits, misses)
        assert take(server.url).window == Lookups(hits, misses)


def test_looking_does_not_change_what_is_counted(server: Server) -> None:
    """Neither on an empty server nor with a baseline: our own lookups are not among the hits or misses."""
    for _ in range(3):
        assert peek(server.url).lifetime == Lookups(0, 0)
    assert server.client.keys() == []

    take(server.url)
    server.look_up(hits=7, misses=3)
    for _ in range(3):
        assert peek(server.url).window == Lookups(7, 3)

    assert take(server.url).window == Lookups(7, 3)
    assert take(server.url).lifetime == Lookups(7, 3)


def test_the_window_is_as_long_as_it_was(server: Server) -> None:
    started = time.monotonic()
    take(server.url)

    window_s = take(server.url).window_s

    assert 0 < window_s <= time.monotonic() - started + 0.01


def test_a_restart_begins_anew(server: Server) -> None:
    take(server.url)
    server.look_up(hits=5, misses=5)
    server.stop()
    server.start()
    assert server.client.keys() != []  # the old baseline came back with the data
    server.look_up(hits=50, misses=50)  # more than before: only the run tells

    reading = take(server.url)

    assert reading.window is None
    server.look_up(hits=2, misses=1)
    assert take(server.url).window == Lookups(2, 1)


@pytest.mark.parametrize(("hits", "misses"), [(5, 0), (0, 5)])
def test_counters_that_fell_begin_anew(server: Server, hits: int, misses: int) -> None:
    server.look_up(hits, misses)
    take(server.url)
    server.client.config_resetstat()
    server.look_up(hits=1, misses=1)

    reading = take(server.url)

    assert reading.window is None
    server.look_up(hits=2, misses=1)
    assert take(server.url).window == Lookups(2, 1)


def test_a_lost_baseline_begins_anew(server: Server) -> None:
    take(server.url)
    server.client.flushall()

    assert take(server.url).window is None


def test_exporters_that_race_count_each_lookup_once(server: Server) -> None:
    take(server.url)
    windows: list[Lookups | None] = []
    stop = threading.Event()

    def export() -> None:
        while not stop.is_set():
            windows.append(take(server.url).window)

    exporters = [threading.Thread(target=export) for _ in range(6)]
    for exporter in exporters:
        exporter.start()
    for _ in range(100):
        server.look_up(hits=20, misses=10)
    stop.set()
    for exporter in exporters:
        exporter.join()
    windows.append(take(server.url).window)

    counted = [window for window in windows if window is not None]
    assert len(counted) == len(windows)
    assert len([window for window in counted if window.hits]) > 1  # they did race
    assert sum(window.hits for window in counted) == 2000
    assert sum(window.misses for window in counted) == 1000


def test_two_installations_do_not_take_each_others_lookups(server: Server, settings: Settings) -> None:
    take(server.url)
    settings.METRICS = {"STRICT": True, "NAMESPACE": "other"}
    take(server.url)
    server.look_up(hits=7, misses=3)

    assert take(server.url).window == Lookups(7, 3)
    settings.METRICS = {"STRICT": True}
    assert take(server.url).window == Lookups(7, 3)


def test_the_baseline_is_one_key_that_leaves_by_itself(server: Server) -> None:
    take(server.url)

    (key,) = server.client.keys()
    assert key == b"sentinel:metrics:baseline:sentinel"
    assert 0 < server.client.ttl(key) <= 86_400


def test_the_export_sends_counts_and_a_ratio(server: Server, agent: Receiver) -> None:
    export_redis_stats()
    server.look_up(hits=9, misses=3)
    export_redis_stats()
    emit.flush()

    tags = {"redis_host": str(server.directory / "valkey.sock"), "redis_port": "0", "redis_role": "master"}
    assert agent.values(REDIS_HITS, **tags) == [9]
    assert agent.values(REDIS_MISSES, **tags) == [3]
    assert agent.values(REDIS_HIT_RATIO, **tags) == [0.75]
    assert agent.values(EXPORTER_RESETS, **tags) == [1]
    assert agent.values(EXPORTER_RUNS, outcome="reset") == [1]
    assert agent.values(EXPORTER_RUNS, outcome="ok") == [1]


def test_without_lookups_there_is_no_ratio_but_counts_of_zero(server: Server, agent: Receiver) -> None:
    take(server.url)

    export_redis_stats()
    emit.flush()

    assert agent.values(REDIS_HITS) == [0]
    assert agent.values(REDIS_MISSES) == [0]
    assert agent.values(REDIS_HIT_RATIO) == []


@contextlib.contextmanager
def frozen(server: Server) -> Iterator[str]:
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield server.url
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def test_a_server_that_is_away_costs_a_moment_and_not_the_others(
    server: Server, agent: Receiver, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as once:
        once.bind(("127.0.0.1", 0))
        refused = f"redis://:secret@127.0.0.1:{once.getsockname()[1]}/0"
    take(server.url)
    settings.METRICS = {"STRICT": True, "REDIS_URLS": [refused, server.url]}

    started = time.perf_counter()
    export_redis_stats()
    spent_s = time.perf_counter() - started
    emit.flush()

    assert agent.values(EXPORTER_RUNS, outcome="error") == [1]
    assert agent.values(EXPORTER_RUNS, outcome="ok") == [1]
    assert spent_s < 1
    assert "no numbers" in caplog.text
    assert "secret" not in caplog.text


def test_a_server_that_hangs_is_left_in_time(server: Server, agent: Receiver) -> None:
    with frozen(server):
        started = time.perf_counter()
        export_redis_stats()
        spent_s = time.perf_counter() - started
    emit.flush()

    assert agent.values(EXPORTER_RUNS, outcome="error") == [1]
    assert spent_s < 2


def shown() -> str:
    out = StringIO()
    call_command("redis_stats", stdout=out, no_color=True)
    return out.getvalue()


def test_the_command_shows_a_person_both_ratios_and_changes_nothing(server: Server) -> None:
    server.look_up(hits=1, misses=1)
    assert "nothing was exported" in shown()
    take(server.url)
    assert "0 hits, 0 misses, no lookups" in shown()
    server.look_up(hits=2, misses=1)

    text = shown()

    assert text == shown()
    assert str(server.directory / "valkey.sock") in text
    assert "3 hits, 2 misses, 60.0% found" in text
    assert "2 hits, 1 misses, 66.7% found" in text
    assert take(server.url).window == Lookups(2, 1)


def test_the_command_says_what_is_wrong(server: Server, settings: Settings) -> None:
    settings.METRICS = {"STRICT": True}
    with pytest.raises(CommandError, match="REDIS_URLS"):
        shown()

    settings.METRICS = {"STRICT": True, "REDIS_URLS": ["unix:///nowhere/valkey.sock", server.url]}
    with pytest.raises(CommandError, match="1 of 2 servers"):
        shown()


def test_an_address_is_shown_without_its_password() -> None:
    assert redis_stats.name("redis://user:secret@cache.example:6380/1") == "cache.example:6380"
    assert redis_stats.name("rediss://[2001:db8::1]") == "2001:db8::1:6379"
    assert redis_stats.name("redis://") == "localhost:6379"
