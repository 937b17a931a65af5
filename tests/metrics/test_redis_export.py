"""What arrives at the Agent is what a client saw: real servers, real lookups, several exports of several processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from metrics import emit
from metrics.catalogue import (
    BASELINE_RESET,
    EXPORTER_DURATION,
    EXPORTER_RESETS,
    EXPORTER_RUNS,
    REDIS_BLOCKED_CLIENTS,
    REDIS_CLIENTS,
    REDIS_EVICTED,
    REDIS_EXPIRED,
    REDIS_HIT_RATIO,
    REDIS_HIT_RATIO_LIFETIME,
    REDIS_HITS,
    REDIS_KEYS,
    REDIS_MEMORY,
    REDIS_MEMORY_MAX,
    REDIS_MISS_RATIO,
    REDIS_MISSES,
    REDIS_OPS,
    REDIS_PING,
)
from metrics.models import RedisBaseline
from metrics.redis_stats import baseline
from metrics.redis_stats import export as exporting
from metrics.redis_stats.reading import read
from metrics.redis_stats.servers import server_of
from metrics.tasks import export_redis_stats
from tests.clusters import RunningCluster
from tests.dogstatsd import Event, Receiver
from tests.e2e.processes import ROOT, wait_until
from tests.metrics.redis_server import Server, running

COUNTS = (REDIS_HITS, REDIS_MISSES, REDIS_EVICTED, REDIS_EXPIRED)


def export() -> None:
    export_redis_stats()
    emit.flush()


def sums(agent: Receiver, **tags: str) -> list[float]:
    """Hits, misses, evictions and expirations that arrived so far."""
    return [agent.total(metric, **tags) for metric in COUNTS]


def events(agent: Receiver) -> list[Event]:
    return [message for message in agent.read() if isinstance(message, Event)]


@pytest.mark.django_db
def test_the_first_export_only_begins(watched: Server, agent: Receiver) -> None:
    watched.look_up(hits=2, misses=1)

    export()

    assert sums(agent) == [0, 0, 0, 0]
    assert agent.values(REDIS_HIT_RATIO) == []
    assert agent.values(EXPORTER_RESETS, **watched.tags, redis_role="master") == [1]
    assert agent.values(EXPORTER_RUNS, outcome="reset") == [1]
    assert events(agent) == []


on_both = pytest.mark.parametrize("watched", ["valkey", "redis"], indirect=True)


@on_both
@pytest.mark.django_db
def test_what_arrives_is_what_happened_through_a_restart_and_a_reset(watched: Server, agent: Receiver) -> None:
    """Only what was counted between the last export and the restart or the reset is not known, and not told."""
    truth = [0, 0, 0, 0]

    def happens(hits: int, misses: int, expired: int, *, evicts: bool = False) -> None:
        evicted = watched.evict() if evicts else 0
        watched.look_up(hits, misses)
        watched.expire(expired)
        for place, number in enumerate((hits, misses, evicted, expired)):
            truth[place] += number

    export()
    for hits, misses, expired in [(7, 3, 2), (0, 5, 0), (4, 0, 1), (0, 0, 0), (1000, 1, 30)]:
        happens(hits, misses, expired, evicts=hits == 4)
        export()
    assert sums(agent) == truth
    assert truth[2] > 0  # keys were evicted

    watched.look_up(hits=5, misses=5)
    watched.restart()
    watched.look_up(hits=2_000, misses=2_000)  # more than before
    export()
    happens(20, 10, 3)
    export()
    assert sums(agent) == truth

    watched.client.config_resetstat()
    watched.look_up(hits=3_000, misses=3_000)  # more than before again
    export()
    happens(6, 6, 0, evicts=True)
    export()

    assert sums(agent, **watched.tags, redis_role="master") == sums(agent) == truth
    assert agent.total(EXPORTER_RESETS) == 3
    assert agent.total(EXPORTER_RUNS, outcome="reset") == 3
    assert agent.total(EXPORTER_RUNS, outcome="ok") == 7
    assert [event.tags["event"] for event in events(agent)] == [BASELINE_RESET.name] * 2


@on_both
@pytest.mark.django_db
def test_a_restart_is_known_by_the_run_where_everything_grew(watched: Server, agent: Receiver) -> None:
    watched.look_up(hits=1, misses=1)
    export()
    watched.restart()
    watched.look_up(hits=50, misses=50)
    watched.is_asked(times=50)

    export()

    assert sums(agent) == [0, 0, 0, 0]
    assert agent.total(EXPORTER_RESETS) == 2


@pytest.mark.django_db
def test_ratios_are_of_the_window_and_of_the_whole_life(watched: Server, agent: Receiver) -> None:
    watched.look_up(hits=1, misses=3)
    export()
    watched.look_up(hits=9, misses=3)
    export()

    assert agent.values(REDIS_HIT_RATIO) == [0.75]
    assert agent.values(REDIS_MISS_RATIO) == [0.25]
    assert agent.values(REDIS_HIT_RATIO_LIFETIME) == [0.25, 0.625]


@pytest.mark.django_db
def test_without_lookups_there_is_no_ratio_but_counts_of_zero(watched: Server, agent: Receiver) -> None:
    export()
    export()

    for metric in COUNTS:
        assert agent.values(metric) == [0]
    for metric in (REDIS_HIT_RATIO, REDIS_MISS_RATIO, REDIS_HIT_RATIO_LIFETIME):
        assert agent.values(metric) == []


@pytest.mark.django_db
def test_levels_are_sent_as_they_are(watched: Server, agent: Receiver) -> None:
    watched.client.set("a", 1)

    export()

    tags = {**watched.tags, "redis_role": "master"}
    assert agent.values(REDIS_KEYS, redis_db="0", **tags) == [1]
    assert agent.values(REDIS_CLIENTS, **tags) == [2]
    assert agent.values(REDIS_BLOCKED_CLIENTS, **tags) == [0]
    assert agent.values(REDIS_MEMORY_MAX) == []
    for metric in (REDIS_MEMORY, REDIS_OPS, REDIS_PING):
        assert len(agent.values(metric, **tags)) == 1
    assert agent.values(EXPORTER_DURATION, outcome="reset")[0] > 0


@pytest.mark.django_db
def test_a_database_that_lost_its_last_key_is_told_as_empty(watched: Server, agent: Receiver) -> None:
    watched.client.set("a", 1)
    export()
    watched.client.flushall()

    export()

    assert agent.values(REDIS_KEYS, redis_db="0") == [1, 0]


@pytest.mark.django_db
def test_a_task_that_runs_twice_counts_nothing_twice(watched: Server, agent: Receiver) -> None:
    export()
    watched.look_up(hits=9, misses=3)

    export()
    export()

    assert agent.values(REDIS_HITS) == [9, 0]
    assert agent.values(REDIS_MISSES) == [3, 0]


@pytest.mark.django_db
def test_a_server_that_was_away_is_caught_up_with(watched: Server, agent: Receiver) -> None:
    export()
    watched.look_up(hits=9, misses=3)
    with watched.frozen():
        export()
    assert agent.values(EXPORTER_RUNS, outcome="error") == [1]
    watched.look_up(hits=1, misses=1)

    export()

    assert agent.values(REDIS_HITS) == [10]
    assert agent.values(REDIS_MISSES) == [4]


@pytest.mark.django_db
def test_a_server_that_is_away_does_not_take_the_others_along(
    watched: Server, agent: Receiver, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.METRICS = {"STRICT": True, "REDIS_URLS": ["redis://:hunter2@127.0.0.1:1/0", watched.url]}

    export()

    assert agent.values(EXPORTER_RUNS, outcome="error") == [1]
    assert agent.values(EXPORTER_RUNS, outcome="reset") == [1]
    assert "127.0.0.1:1: no numbers: it cannot be reached" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.django_db
def test_another_export_that_was_here_meanwhile_is_left_the_counts(watched: Server, agent: Receiver) -> None:
    """Its reading is older than the baseline by now: the difference would be negative, or counted twice."""
    export()
    baselines = baseline.standing(datetime.now(UTC))
    watched.look_up(hits=5, misses=0)
    reading = read(server_of(watched.url))
    watched.look_up(hits=4, misses=0)
    export()

    outcome = exporting._export(reading, baselines, datetime.now(UTC))

    assert outcome == "overtaken"
    assert agent.total(REDIS_HITS) == 9
    export()
    assert agent.total(REDIS_HITS) == 9


@pytest.mark.django_db
def test_of_two_first_exports_one_begins(watched: Server) -> None:
    now = datetime.now(UTC)
    first, second = read(server_of(watched.url)), read(server_of(watched.url))

    assert baseline.move(None, first, now)
    assert not baseline.move(None, second, now)


@pytest.mark.django_db
def test_two_installations_do_not_take_each_others_lookups(
    watched: Server, agent: Receiver, settings: Settings
) -> None:
    ours, theirs = settings.METRICS, {**settings.METRICS, "NAMESPACE": "other"}
    reading = read(server_of(watched.url))
    settings.METRICS = theirs
    baseline.move(None, reading, datetime.now(UTC))
    settings.METRICS = ours
    export()
    watched.look_up(hits=7, misses=3)
    settings.METRICS = theirs
    old = baseline.standing(datetime.now(UTC))[reading.identity]
    baseline.move(old, read(server_of(watched.url)), datetime.now(UTC))
    settings.METRICS = ours

    export()

    assert agent.total(REDIS_HITS) == 7


@pytest.mark.django_db
def test_a_baseline_older_than_a_day_is_forgotten(watched: Server, agent: Receiver) -> None:
    """The export was off: a day's lookups would be shown as those of one moment."""
    export()
    RedisBaseline.objects.update(read_at=datetime.now(UTC) - timedelta(hours=25))
    watched.look_up(hits=7, misses=3)

    export()

    assert sums(agent) == [0, 0, 0, 0]
    assert agent.total(EXPORTER_RESETS) == 2
    assert RedisBaseline.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.skipif("not connection.features.can_rollback_ddl", reason="what is dropped here would not come back")
def test_without_the_table_the_levels_are_sent_and_a_person_is_told(
    watched: Server, agent: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE metrics_redisbaseline")

    export()

    assert agent.values(EXPORTER_RUNS, outcome="error") == [1]
    assert len(agent.values(REDIS_MEMORY)) == 1
    assert "migrate" in caplog.text


@pytest.mark.django_db
def test_a_server_without_room_for_a_key_is_counted_all_the_same(watched: Server, agent: Receiver) -> None:
    """Its baseline is elsewhere, so neither its memory nor its eviction matters."""
    export()
    watched.look_up(hits=3, misses=1)
    watched.client.config_set("maxmemory", 1)

    export()

    assert sums(agent) == [3, 1, 0, 0]
    assert agent.values(REDIS_MEMORY_MAX) == [1]


@pytest.mark.django_db
def test_hostile_names_make_valid_tags(agent: Receiver, settings: Settings) -> None:
    with running() as server:
        odd = server.directory / "a|b#c,d:1\u202e é_"
        odd.symlink_to(server.directory, target_is_directory=True)
        settings.METRICS = {"STRICT": True, "REDIS_URLS": [f"unix://{str(odd).replace('#', '%23')}/redis.sock"]}

        export()

    (sample,) = agent.samples(REDIS_MEMORY)  # the receiver refuses what is no tag
    assert sample.tags["redis_port"] == "0"
    assert sample.tags["redis_host"].endswith("/a_b_c_d:1__/redis.sock")


@pytest.mark.django_db
def test_a_replica_is_counted_beside_its_primary(agent: Receiver, settings: Settings) -> None:
    with running() as primary, running("--replicaof", f"127.0.0.1 {primary.port}") as replica:
        settings.METRICS = {"STRICT": True, "REDIS_URLS": [primary.url, replica.url]}
        primary.look_up(hits=1, misses=1)
        wait_until(lambda: replica.client.dbsize() == 1, "the replica's copy", deadline_s=20)
        export()
        primary.look_up(hits=5, misses=1)
        replica.look_up(hits=50, misses=10)

        export()

        assert sums(agent, **primary.tags, redis_role="master")[:2] == [5, 1]
        assert sums(agent, **replica.tags, redis_role="slave")[:2] == [50, 10]


@pytest.mark.django_db
def test_a_failover_loses_and_repeats_nothing(agent: Receiver, settings: Settings) -> None:
    with running() as old, running("--replicaof", f"127.0.0.1 {old.port}") as new:
        settings.METRICS = {"STRICT": True, "REDIS_URLS": [old.url, new.url]}
        old.look_up(hits=1, misses=1)
        wait_until(lambda: new.client.dbsize() == 1, "the replica's copy", deadline_s=20)
        export()
        old.look_up(hits=5, misses=1)
        new.look_up(hits=50, misses=10)
        new.client.replicaof("no", "one")
        old.client.replicaof("127.0.0.1", new.port)
        new.look_up(hits=500, misses=100)
        export()
        new.look_up(hits=7, misses=2)

        export()

        assert sums(agent, **old.tags, redis_role="slave")[:2] == [5, 1]
        assert sums(agent, **new.tags, redis_role="master")[:2] == [557, 112]
        assert agent.total(EXPORTER_RESETS) == 2  # the first readings
        assert events(agent) == []


@pytest.mark.django_db
def test_each_primary_of_a_cluster_is_counted_by_itself(
    agent: Receiver, settings: Settings, cluster: RunningCluster
) -> None:
    settings.METRICS = {"STRICT": True, "REDIS_URLS": [cluster.url]}
    export()
    seen: dict[int, int] = {}
    for number in range(60):
        holder = cluster.holder_of(f"key:{number}")
        holder.client.get(f"key:{number}")
        seen[holder.port] = seen.get(holder.port, 0) + 1

    export()

    for node in cluster.nodes:
        assert agent.values(REDIS_MISSES, redis_host="127.0.0.1", redis_port=str(node.port)) == [seen[node.port]]


@pytest.mark.django_db
def test_a_node_that_is_away_is_one_error_of_its_cluster(
    agent: Receiver, settings: Settings, cluster: RunningCluster
) -> None:
    settings.METRICS = {"STRICT": True, "REDIS_URLS": [cluster.url]}
    cluster.nodes[0].process.send_signal(signal.SIGSTOP)
    try:
        export()
    finally:
        cluster.nodes[0].process.send_signal(signal.SIGCONT)

    assert agent.values(EXPORTER_RUNS, outcome="error") == [1]
    assert agent.total(EXPORTER_RUNS, outcome="reset") == 2


@pytest.mark.django_db(transaction=True)
def test_threads_that_race_count_each_lookup_once(watched: Server, agent: Receiver) -> None:
    export()
    stop = threading.Event()
    exporters = [threading.Thread(target=_export_until, args=(stop.is_set,)) for _ in range(4)]

    for exporter in exporters:
        exporter.start()
    for _ in range(100):
        watched.look_up(hits=20, misses=10)
    stop.set()
    for exporter in exporters:
        exporter.join()
    export()

    assert sums(agent)[:2] == [2000, 1000]
    assert len([hits for hits in agent.values(REDIS_HITS) if hits]) > 1  # they did share it out
    assert agent.total(EXPORTER_RESETS) == 1


def _export_until(over: Callable[[], bool]) -> None:
    try:
        while not over():
            export_redis_stats()
    finally:
        connection.close()


EXPORTER = """
import os, sys, django
django.setup()
from metrics.redis_stats.export import export
print("ready", flush=True)
while not os.path.exists(sys.argv[1]):
    export()
"""


def _exporter(watched: Server, agent: Receiver) -> subprocess.Popen[bytes]:
    """Another worker, on the same database and the same Agent, which exports as fast as it can."""
    environ = {
        **os.environ,
        **agent.environ,
        "DJANGO_SETTINGS_MODULE": "sentinel.settings",
        "DATABASE_URL": os.environ["DATABASE_URL"].replace("/postgres?", f"/{connection.settings_dict['NAME']}?"),
        "METRICS_REDIS_URLS": watched.url,
    }
    environ.pop("DD_DOGSTATSD_DISABLE", None)
    command = [sys.executable, "-c", EXPORTER, str(watched.directory / "stop")]
    process = subprocess.Popen(command, env=environ, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


on_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="other processes find only PostgreSQL's")


@on_both
@on_postgres
@pytest.mark.django_db(transaction=True)
def test_processes_that_race_count_each_lookup_once(watched: Server, agent: Receiver) -> None:
    export()
    exporters = [_exporter(watched, agent) for _ in range(2)]

    for _ in range(100):
        watched.look_up(hits=20, misses=10)
    (watched.directory / "stop").touch()
    for exporter in exporters:
        assert exporter.wait(30) == 0
        exporter.stdout.close()
    export()

    assert sums(agent)[:2] == [2000, 1000]
    assert len([hits for hits in agent.values(REDIS_HITS) if hits]) > 1
    assert agent.total(EXPORTER_RESETS) == 1


@on_postgres
@pytest.mark.django_db(transaction=True)
def test_a_killed_process_counts_nothing_twice_and_holds_nobody_up(watched: Server, agent: Receiver) -> None:
    """What it had taken and not sent is lost: how much, no other process can know."""
    export()
    exporter = _exporter(watched, agent)
    agent.wait_for(lambda: len(agent.values(REDIS_HITS)) > 3)
    for _ in range(20):
        watched.look_up(hits=20, misses=0)
    exporter.kill()
    exporter.wait(10)
    exporter.stdout.close()
    export()
    caught_up = agent.total(REDIS_HITS)
    watched.look_up(hits=100, misses=0)

    export()

    assert caught_up <= 400
    assert agent.total(REDIS_HITS) == caught_up + 100
