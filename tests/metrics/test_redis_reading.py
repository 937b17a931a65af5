"""What a server says of itself, by real servers, and by such that hide it, refuse it or are none."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from metrics.redis_stats.errors import NoAnswer
from metrics.redis_stats.reading import Failure, Reading, of_info, read, read_all
from metrics.redis_stats.servers import Server as Address
from metrics.redis_stats.servers import server_of
from metrics.redis_stats.window import Counts, window
from tests.clusters import RunningCluster
from tests.e2e.processes import wait_until
from tests.metrics.redis_server import Server, running
from tests.required import require

HERE = Address("redis://cache:6379", "cache", "6379")
PASSWORD = "p@ss:w/rd#%? ä"


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_server_tells_all_there_is_in_both_protocols(server: Server, protocol: int) -> None:
    server.look_up(hits=7, misses=3)
    server.client.config_set("maxmemory", 50_000_000)

    reading = read(server_of(f"{server.url}?protocol={protocol}"))

    assert reading.lifetime == Counts(hits=7, misses=3, evicted=0, expired=0)
    assert (reading.host, reading.port, reading.role) == ("127.0.0.1", str(server.port), "master")
    assert reading.identity == server.client.info("server")["run_id"]
    assert reading.memory_used is not None
    assert 500_000 < reading.memory_used < 50_000_000
    assert reading.memory_max == 50_000_000
    assert reading.keys == {"0": 1}
    assert reading.clients == 2
    assert reading.blocked_clients == 0
    assert reading.ops_per_second is not None
    assert reading.ping_s is not None
    assert 0 < reading.ping_s <= reading.duration_s < 1
    assert reading.version.split()[0] in {"Valkey", "Redis"}


def test_without_a_limit_there_is_no_most(server: Server) -> None:
    assert read(server_of(server.url)).memory_max is None


def test_keys_are_told_by_database(server: Server) -> None:
    with server.client as client:
        client.set("a", 1)
        client.select(12)
        client.mset({"a": 1, "b": 2})

    assert read(server_of(server.url)).keys == {"0": 1, "12": 2}


def test_a_client_that_waits_is_told_as_blocked(server: Server) -> None:
    waiting = threading.Thread(target=server.client.blpop, args=(["never"],))
    waiting.start()

    wait_until(lambda: read(server_of(server.url)).blocked_clients == 1, "the client's wait", deadline_s=5)

    server.client.rpush("never", 1)
    waiting.join(5)
    assert read(server_of(server.url)).blocked_clients == 0


def test_reading_changes_none_of_what_it_reads(server: Server) -> None:
    for _ in range(3):
        assert read(server_of(server.url)).lifetime == Counts(0, 0, 0, 0)
    assert server.client.keys() == []


def test_a_socket_is_told_by_its_path(server: Server) -> None:
    reading = read(server_of(server.socket_url))

    assert (reading.host, reading.port) == (str(server.directory / "redis.sock"), "0")


@pytest.mark.parametrize("protocol", [2, 3])
def test_the_rights_to_info_and_ping_are_enough(server: Server, protocol: int) -> None:
    server.client.acl_setuser(
        "watch", enabled=True, reset=True, passwords=[f"+{PASSWORD}"], commands=["+info", "+ping"]
    )
    server.look_up(hits=2, misses=1)
    url = f"redis://watch:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}/5?protocol={protocol}"

    reading = read(server_of(url))

    assert reading.lifetime == Counts(2, 1, 0, 0)
    assert reading.ping_s is not None


def test_without_the_right_to_ping_only_the_ping_is_missing(server: Server) -> None:
    server.client.acl_setuser("watch", enabled=True, reset=True, nopass=True, commands=["+info"])

    reading = read(server_of(f"redis://watch:any@127.0.0.1:{server.port}"))

    assert reading.ping_s is None
    assert reading.lifetime == Counts(0, 0, 0, 0)


def test_a_user_without_rights_is_told_which_to_give(server: Server) -> None:
    server.client.acl_setuser("nobody", enabled=True, reset=True, nopass=True)

    with pytest.raises(NoAnswer, match=r"no permissions to run the 'info' command.*\+info \+ping"):
        read(server_of(f"redis://nobody:any@127.0.0.1:{server.port}"))


@pytest.mark.parametrize("login", ["", ":hunter2@", "stranger:hunter2@"])
def test_a_wrong_password_is_told_and_not_shown(server: Server, login: str) -> None:
    server.client.config_set("requirepass", "right")

    with pytest.raises(NoAnswer, match="refuses the user or password") as failed:
        read(server_of(f"redis://{login}127.0.0.1:{server.port}"))
    assert "hunter2" not in str(failed.value)


def test_tls_is_spoken(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [require("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-batch",
         "-subj", "/CN=cache", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    files = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", str(certificate)]
    with running("--tls-auth-clients", "no", *files, kind="redis") as server:
        server.client.config_set("port", 0)
        server.client.config_set("tls-port", server.port)

        url = f"rediss://127.0.0.1:{server.port}?ssl_ca_certs={quote(str(certificate))}"
        readings = [read(server_of(url)) for _ in range(20)]  # when a session's tickets arrive is chance

        assert {reading.port for reading in readings} == {str(server.port)}
        with pytest.raises(NoAnswer, match="certificate"):
            read(server_of(f"rediss://127.0.0.1:{server.port}"))


def test_a_server_that_hangs_is_left_in_time(server: Server) -> None:
    with server.frozen():
        began = time.perf_counter()
        with pytest.raises(NoAnswer, match="no answer in time"):
            read(server_of(server.url))
        spent_s = time.perf_counter() - began

    assert spent_s < 2


def test_servers_that_hang_are_waited_for_side_by_side(server: Server) -> None:
    with server.frozen():
        began = time.perf_counter()
        seen = read_all([server.url, server.socket_url, f"redis://localhost:{server.port}"])
        spent_s = time.perf_counter() - began

    assert [type(each) for each in seen] == [Failure] * 3
    assert spent_s < 1.4  # half a second each, one after another, is more


def test_one_server_under_two_addresses_is_read_once(server: Server) -> None:
    seen = read_all([f"{server.url[:-1]}1", server.socket_url, server.url])

    assert [each.name for each in seen] == [f"127.0.0.1:{server.port}"]


def test_each_primary_of_a_cluster_is_read(cluster: RunningCluster) -> None:
    seen = read_all([cluster.url])

    assert {each.name for each in seen} == {f"127.0.0.1:{node.port}" for node in cluster.nodes}
    assert all(isinstance(each, Reading) and each.role == "master" for each in seen)


def test_a_cluster_that_is_away_is_one_failure() -> None:
    (failure,) = read_all(["redis+cluster://:hunter2@127.0.0.1:1,127.0.0.1:2"])

    assert isinstance(failure, Failure)
    assert failure.name == "cluster 127.0.0.1:1,127.0.0.1:2"
    assert "cannot be reached" in failure.reason


def test_a_server_that_is_no_cluster_says_so(server: Server) -> None:
    (failure,) = read_all([server.url.replace("redis://", "redis+cluster://")])

    assert isinstance(failure, Failure)
    assert "cluster support disabled" in failure.reason


@contextlib.contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """Something that gives these bytes, one after another, to whatever it is asked; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    for answer in answers:
                        connection.recv(65_536)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(5)


def bulk(text: str) -> bytes:
    return f"${len(text.encode())}\r\n{text}\r\n".encode()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"\x00" * 100 + b"\r\n",
        b":5\r\n", b"+OK\r\n", b"$-1\r\n", b"*1\r\n:1\r\n", b"$abc\r\n", b"$5\r\n\xff\xfe\xff\xfe\xff\r\n",
        b"-ERR \x1b[31mred\x1b]0;title\x07\r\n",
    ],
)  # fmt: skip
def test_what_is_not_redis_is_told_in_one_plain_line(answer: bytes) -> None:
    with answering(answer, answer) as url, pytest.raises(NoAnswer) as failed:
        read(server_of(url))

    assert str(failed.value).isprintable()
    assert len(str(failed.value)) < 300


def test_what_a_managed_server_hides_is_left_out() -> None:
    with answering(bulk("# Stats\r\nredis_version:7.1.0\r\nkeyspace_hits:12\r\n"), b"+PONG\r\n") as url:
        reading = read(server_of(url))

    assert reading.lifetime == Counts(hits=12, misses=None, evicted=None, expired=None)
    assert reading.role == "unknown"
    assert reading.identity == reading.name
    assert reading.keys == {}
    for hidden in (reading.memory_used, reading.memory_max, reading.clients, reading.blocked_clients, reading.uptime_s):
        assert hidden is None


def test_numbers_that_are_none_are_left_out() -> None:
    info = {
        "redis_version": "7\x1b[31m", "role": "queen\nfoo:1|c", "keyspace_hits": "many", "keyspace_misses": -3,
        "used_memory": 1.5, "connected_clients": "nan", "db0": "x", "db1": {"keys": "x"}, "dbx|c": {"keys": 1},
        "cmdstat_info": 7,
    }  # fmt: skip

    reading = of_info(HERE, info, None)

    assert reading.lifetime == Counts(None, None, None, None)
    assert (reading.role, reading.version) == ("unknown", "Redis 7[31m")
    assert (reading.memory_used, reading.clients, reading.keys) == (None, None, {})


def test_a_restart_that_grew_past_the_old_numbers_is_another_server(server: Server) -> None:
    server.look_up(hits=5, misses=5)
    before = read(server_of(server.url))
    server.restart()
    server.look_up(hits=50, misses=50)

    after = read(server_of(server.url))

    assert after.identity != before.identity


@pytest.mark.parametrize("resets", [1, 2])
def test_a_reset_that_grew_past_the_old_numbers_is_seen(server: Server, resets: int) -> None:
    """Of the first reset, and of one on a server that was reset before."""
    for _ in range(resets):
        server.look_up(hits=5, misses=5)
        before = read(server_of(server.url))
        server.client.config_resetstat()
        server.look_up(hits=50, misses=50)

    after = read(server_of(server.url))

    assert (after.lifetime.hits, before.lifetime.hits) == (50, 5 if resets == 1 else 55)
    assert window(before.marks, after.marks) is None


def test_no_connection_is_left_behind(server: Server) -> None:
    """Nor by a failure, as long as somebody holds its exception."""
    server.client.acl_setuser("nobody", enabled=True, reset=True, nopass=True)
    kept = []

    for _ in range(5):
        with pytest.raises(NoAnswer) as failed:
            read(server_of(f"redis://nobody:any@127.0.0.1:{server.port}"))
        kept.append(failed)

    wait_until(lambda: server.client.info("clients")["connected_clients"] == 1, "their end", deadline_s=5)
