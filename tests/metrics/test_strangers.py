"""Two programs that others wrote from the same protocol: a receiver of what we send, a client for our own receiver."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from metrics import client, emit
from metrics.catalogue import (
    BATCHES_SPOOLED,
    DATABASE_CONNECTS,
    EVENTS_STORED,
    GATE_SWITCHED,
    REDIS_CONNECTS,
    REDIS_HIT_RATIO,
    REDIS_MEMORY,
    REQUEST_DURATION,
    REQUESTS,
)
from tests.datagram import Event, Message, Sample, ServiceCheck, parse
from tests.e2e import processes
from tests.metrics.conftest import send_to
from tests.npm import installed
from tests.required import require

pytestmark = pytest.mark.slow  # npm brings them, as `make test-all` asks it to

REDIS = {"redis_host": "127.0.0.1", "redis_port": "6379", "redis_role": "master"}
REDIS_AS_STATSD_SAYS = ";redis_host=127.0.0.1;redis_port=6379;redis_role=master"

# Etsy's statsd 0.9.0 calls `util.log`, which Node 23 has no more.
START_STATSD = "require('util').log ??= console.log; require(process.argv[1] + '/stats.js')"


@dataclass
class Statsd:
    """Etsy's, from which DogStatsD's lines come. It knows tags, but neither distributions, events nor checks."""

    port: int
    console: int
    log: Path

    def known(self, kind: str) -> dict[str, float]:
        """Returns its `counters` or `gauges`, as its console shows them."""
        with socket.create_connection(("127.0.0.1", self.console), timeout=5) as connection:
            connection.sendall(f"{kind}\n".encode())
            shown = b""
            while not shown.endswith(b"END\n\n"):
                shown += connection.recv(65_536)
        return {name: float(value) for name, value in re.findall(r"'([^']+)': ([^,\s]+)", shown.decode())}

    def wait_for_lines(self, number: int) -> None:
        received = "statsd.metrics_received"
        processes.wait_until(lambda: self.known("counters")[received] >= number, f"{number} lines", 20)

    @property
    def bad_lines(self) -> list[str]:
        return re.findall('Bad line: .* in msg "(.*)"', self.log.read_text())


@pytest.fixture
def statsd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Statsd]:
    """A statsd that this process sends to."""
    found = Statsd(free_udp_port(), processes.free_port(), tmp_path / "log")
    config = {
        "address": "127.0.0.1", "port": found.port, "mgmt_address": "127.0.0.1", "mgmt_port": found.console,
        "backends": ["./backends/console"], "flushInterval": 3_600_000, "title": False,
    }  # fmt: skip
    (tmp_path / "config.js").write_text(json.dumps(config))
    command = [require("node", "nodejs"), "-e", START_STATSD, str(installed("statsd")), str(tmp_path / "config.js")]
    with processes.running(command, {}, found.log):
        processes.wait_until(lambda: answers(found.console), "the start of statsd")
        send_to(monkeypatch, {"DD_DOGSTATSD_URL": f"udp://127.0.0.1:{found.port}"})
        yield found
        client.close()


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def test_another_receiver_sums_our_counts_and_keeps_our_last_gauges(statsd: Statsd) -> None:
    for number in range(1, 101):
        emit.count(REQUESTS, route="shop:cart", method="GET", status_class="2xx")
        emit.count(REQUESTS, 2, route="shop:cart", method="POST", status_class="4xx")
        emit.count(EVENTS_STORED, number)
        emit.gauge(REDIS_MEMORY, number * 1e10, **REDIS)
        if number % 10 == 0:  # ten packets, each with its own sums
            emit.flush()
    emit.count(BATCHES_SPOOLED, 0.25)
    emit.gauge(REDIS_HIT_RATIO, 1e-07, **REDIS)
    emit.flush()

    statsd.wait_for_lines(42)
    ours = {name: value for name, value in statsd.known("counters").items() if name.startswith("sentinel.")}
    assert ours == {  # in names it keeps no colon but the first of a tag, which becomes =
        "sentinel.request.count;route=shopcart;method=GET;status_class=2xx": 100,
        "sentinel.request.count;route=shopcart;method=POST;status_class=4xx": 200,
        "sentinel.record.events_stored": 5050,
        "sentinel.record.batches_spooled": 0.25,
    }
    assert statsd.known("gauges") == {
        f"sentinel.redis.memory_used{REDIS_AS_STATSD_SAYS}": 1e12,
        f"sentinel.redis.hit_ratio{REDIS_AS_STATSD_SAYS}": 1e-07,
    }
    assert statsd.known("counters")["statsd.metrics_received"] == 42
    assert statsd.bad_lines == []


def test_another_receiver_reads_each_value_of_a_distribution(statsd: Statsd) -> None:
    """It takes their type for a count's, so it knows their sum."""
    for value in (0.5, 0.25, 1e-06, 3):
        emit.distribution(REQUEST_DURATION, value, route="a", method="GET", status_class="2xx")
    emit.flush()

    statsd.wait_for_lines(4)
    assert statsd.known("counters")["sentinel.request.duration;route=a;method=GET;status_class=2xx"] == 3.750001
    assert statsd.bad_lines == []


def test_another_receiver_objects_to_events_and_checks_alone(statsd: Statsd) -> None:
    """They are Datadog's, so that each is a bad line to it; what stands beside them in a packet is not."""
    emit.event(GATE_SWITCHED, "The gate was switched off", "checkout answers: 429", mode="off")
    emit.check(DATABASE_CONNECTS, emit.OK)
    emit.check(REDIS_CONNECTS, emit.CRITICAL, "refused", redis_host="a", redis_port="1")
    emit.count(EVENTS_STORED, 7)
    emit.flush()

    statsd.wait_for_lines(4)
    assert statsd.known("counters")["sentinel.record.events_stored"] == 7
    assert {line[:4] for line in statsd.bad_lines} == {"_e{2", "_sc|"}


HOT_SHOTS = """
const { StatsD } = require(process.argv[1]);
const options = { host: '127.0.0.1', port: Number(process.argv[2]), prefix: 'shop.', globalTags: { env: 'test' } };
const plain = new StatsD({ ...options, datadog: false });
plain.increment('sold', 3, ['sku:a', 'sku_b']);
plain.increment('sold', 1, 0.5, { route: 'a:b' });  // sent or not, as chance has it
plain.decrement('stock');
plain.gauge('temperature', -1.5);
plain.histogram('weight', 0.1);
plain.distribution('time', 1e-7);
plain.timing('took', 42);
plain.set('visitors', 'ada');
plain.gauge('at', 7, { timestamp: 1700000000 });
plain.event('at | noon', 'one\\ntwo', { alert_type: 'warning', priority: 'low', aggregation_key: 'k',
  source_type_name: 's', hostname: 'h', date_happened: new Date(1700000000000) }, ['a:b']);
plain.check('db', plain.CHECKS.CRITICAL, { hostname: 'h', date_happened: new Date(1700000000000), message: 'a b' },
  { c: 'd' });
const packed = new StatsD({ ...options, datadog: true, cardinality: 'low', includeDatadogTelemetry: false,
  maxBufferSize: 1000 });
for (let number = 0; number < 50; number++) packed.increment('packed');
plain.close(() => packed.close());
"""


def test_our_receiver_understands_another_client() -> None:
    datagrams = said_by(HOT_SHOTS)
    told = [message for datagram in datagrams for message in parse(datagram)]

    env = {"env": "test"}
    packed = [message for message in told if isinstance(message, Sample) and message.name == "shop.packed"]
    assert sum(message.total for message in packed) == 50
    assert {(message.cardinality, message.external) for message in packed} == {("low", "it-false,cn-web,pu-7")}
    assert len(datagrams) < len(told)
    rest = [message for message in told if message not in packed and not sampled(message)]
    assert rest == [
        Sample("shop.sold", "count", (3.0,), {"sku": "a", "sku_b": "", **env}),
        Sample("shop.stock", "count", (-1.0,), env),
        Sample("shop.temperature", "gauge", (-1.5,), env),
        Sample("shop.weight", "histogram", (0.1,), env),
        Sample("shop.time", "distribution", (1e-07,), env),
        Sample("shop.took", "timer", (42.0,), env),
        Sample("shop.visitors", "set", (), env, member="ada"),
        Sample("shop.at", "gauge", (7.0,), env, timestamp=1_700_000_000),
        Event("shop.at | noon", "one\ntwo", {"a": "b", **env}, "k", "s", "low", "warning", "h", 1_700_000_000),
        ServiceCheck("shop.db", 2, {"c": "d", **env}, "a b", "h", 1_700_000_000),
    ]


def test_our_receiver_refuses_an_event_that_another_client_measures_in_characters() -> None:
    """hot-shots 17 does, so that with its ö the Agent would take the title's last letter for the bar."""
    (datagram,) = said_by(
        "const { StatsD } = require(process.argv[1]);"
        "const client = new StatsD({ host: '127.0.0.1', port: Number(process.argv[2]), datadog: false });"
        "client.event('zwölf', 'noon', {}, () => client.close());"
    )

    assert datagram.startswith("_e{5,4}:zwölf|noon".encode())
    with pytest.raises(ValueError, match="lengths"):
        parse(datagram)


def said_by(script: str) -> list[bytes]:
    """Returns what a script of Node's sent, which is told where hot-shots is and where to send."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        command = [require("node", "nodejs"), "-e", script, str(installed("hot-shots")), str(port)]
        subprocess.run(command, check=True, timeout=60, env={"DD_EXTERNAL_ENV": "it-false,cn-web,pu-7"})
        return list(waiting(listening))


def sampled(message: Message) -> bool:
    return isinstance(message, Sample) and message.rate < 1


def waiting(listening: socket.socket) -> Iterator[bytes]:
    listening.setblocking(False)
    try:
        while True:
            yield listening.recv(65_536)
    except BlockingIOError:
        return
