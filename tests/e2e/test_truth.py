"""The numbers are true: parts of a house are restarted and recycled while it works, and the sums equal what was done.

Over a unix socket, whose sender waits for room, exactly. Over UDP, where nobody waits, the difference is told: it is
printed, and written to build/truth.json.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from celery import Celery

from metrics import catalogue
from tests.dogstatsd import Event, udp_receiver, unix_receiver
from tests.e2e import processes
from tests.e2e.truth import Run, Server, Tally, Truth, meanwhile, tally

pytestmark = pytest.mark.slow

REPORT = processes.ROOT / "build/truth.json"
WORKERS = 4
PROBERS, GUESSERS = 3, 2
# Of a visitor, between two requests; there are two. Enough for two slow cores, which have the house to carry.
PACE_S = 0.03
# What is asked of the database, or of all that was received.
LOOK_S = 0.2
# A child of the events worker is replaced after so many batches, of which there are some hundred. Not often: a batch
# that Celery has handed to a child that ends waits until Celery has found that out, ten seconds and more.
BATCHES_EACH = 40
# A packet of forty lines in a thousand; more would say that the receiver is no measure.
LOST_MOST = 0.05

ENDLESS = "truth:endless"
STORED = {"task": "ip_tracking.tasks.store_events", "queue": "events", "state": "success"}
LOGINS = {200: "success", 401: "failure", 429: "refused"}
LEAVING = 5

# What is known, by metric. A number that comes from a response is what its client saw; from a query, what is kept.
TRUTHS = [
    Truth(catalogue.REQUESTS, lambda run: run.tally(lambda answer: answer.request, lambda _: True)),
    Truth(catalogue.REQUEST_DURATION, lambda run: run.tally(lambda answer: answer.request, lambda _: True)),
    Truth(
        catalogue.REQUEST_EXCEPTIONS,
        lambda run: run.tally(
            lambda answer: {"route": answer.route, "exception": "RuntimeError"}, lambda answer: answer.status == 500
        ),
    ),
    Truth(
        catalogue.THROTTLED,
        lambda run: run.tally(
            lambda answer: {"policy": answer.policy, "route": answer.route}, lambda answer: answer.policy
        ),
    ),
    Truth(catalogue.WOULD_THROTTLE, lambda _: tally([({"policy": "fifteen", "route": "truth:limited"}, 2 * 5)])),
    Truth(
        catalogue.BLOCKED,
        lambda run: run.tally(
            lambda answer: {"reason": "block", "route": answer.route}, lambda answer: answer.is_block
        ),
    ),
    Truth(catalogue.RESPONSE_SIZE, lambda run: run.tally(lambda answer: answer.request, lambda _: True)),
    Truth(
        catalogue.RESPONSE_SIZE,
        lambda run: tally((answer.request, answer.size) for answer in run.answers),
        size=True,
        but=ENDLESS,  # how much of it went out, only the system knows
    ),
    Truth(catalogue.ABORTED, lambda run: tally(({"route": left.route, "method": left.method}, 1) for left in run.left)),
    Truth(
        catalogue.ERRORS,
        lambda run: run.tally(
            lambda answer: {"logger": "django", "level": "error"}, lambda answer: answer.status == 500
        ),
        only={"logger": "django"},
    ),
    Truth(
        catalogue.AUTH_ATTEMPTS,
        lambda run: run.tally(
            lambda answer: {"outcome": LOGINS[answer.status]},
            lambda answer: answer.route == "shop:login" and not answer.is_block,
        ),
    ),
    Truth(
        catalogue.CACHE_HITS,
        lambda run: run.tally(lambda _: {"cache": "default", "prefix": "known"}, lambda answer: answer.body == b"hit"),
        only={"prefix": "known"},  # the shop caches too
    ),
    Truth(
        catalogue.CACHE_MISSES,
        lambda run: run.tally(lambda _: {"cache": "default", "prefix": "known"}, lambda answer: answer.body == b"miss"),
        only={"prefix": "known"},  # the shop caches too
    ),
    Truth(catalogue.EVENTS_STORED, lambda run: tally([({}, len(run.logged))])),
    Truth(
        catalogue.FLAGGED,
        lambda run: run.counted(
            "SELECT rule, severity, count(*) FROM ip_tracking_casefinding GROUP BY 1, 2", "rule", "severity"
        ),
    ),
    Truth(
        catalogue.DETECTOR_RUNS,
        lambda run: tally([({"detector": "bursts", "outcome": "ok"}, run.batches)]),
        only={"detector": "bursts"},
    ),
    Truth(catalogue.TASKS, lambda run: tally([(STORED, run.batches)]), only=STORED),
    Truth(catalogue.TASK_DURATION, lambda run: tally([(STORED, run.batches)]), only=STORED),
    Truth(catalogue.REDIS_HITS, lambda run: tally([(run.watched.tags, run.watched.hits)])),
    Truth(catalogue.REDIS_MISSES, lambda run: tally([(run.watched.tags, run.watched.misses)])),
    Truth(catalogue.EXPORTER_RESETS, lambda run: tally([(run.watched.tags, run.resets)])),
    # Nothing was lost on the way, and nothing did not fit.
    Truth(catalogue.EMIT_DROPPED, lambda _: Counter()),
    Truth(catalogue.EVENTS_DROPPED, lambda _: Counter()),
]


@pytest.fixture(params=["unix", "udp"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    """The whole script, and all processes ended well."""
    with ExitStack() as stack:
        # Short, because a unix socket's path may hold 107 characters.
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="truth-")))
        listening = (
            unix_receiver(directory / "dog.sock", apart=True) if request.param == "unix" else udp_receiver(apart=True)
        )
        agent = stack.enter_context(listening)
        broker = stack.enter_context(processes.rabbitmq(directory))
        database = stack.enter_context(processes.database(f"truth_{request.param}"))
        store, watched = Server(directory / "store"), Server(directory / "watched")
        for server in (store, watched):
            server.start()
            stack.callback(server.stop)
        env = {
            **{name: value for name, value in os.environ.items() if name != "DD_DOGSTATSD_DISABLE"},
            **agent.environ,
            "DD_ENV": "test",
            "DD_SERVICE": "shop",
            "DD_VERSION": "1.2.3",
            "DJANGO_SETTINGS_MODULE": "tests.e2e.truth_settings",
            "REDIS_URL": store.url,
            "METRICS_REDIS_URLS": watched.url,
            "CELERY_BROKER_URL": broker,
            "DATABASE_URL": database,
            "ENFORCE": "block",
            "TRUSTED_PROXIES": "127.0.0.1",
            "SPOOL_DIR": str(directory / "spool"),
            "PYTHONWARNINGS": "",
            "WEB_CONCURRENCY": str(WORKERS),
        }
        processes.manage(env, "migrate", "--verbosity", "0")
        processes.manage(env, "seed_shop", "--products", "20", "--customer-password", PASSWORD)
        run = Run(processes.free_port(), database, agent, watched)
        _live(run, env, store, Exporter(broker), tmp_path)
        yield run


PASSWORD = "correct horse battery"


class Exporter:
    """Has the export run now, as Beat would."""

    def __init__(self, broker: str) -> None:
        self._celery = Celery("truth", broker=broker, set_as_current=False)

    def export(self) -> None:
        self._celery.send_task("metrics.tasks.export_redis_stats")


def _live(run: Run, env: dict[str, str], store: Server, exporter: Exporter, logs: Path) -> None:
    events = processes.worker("-Q", "events", "-c", "2", "--max-tasks-per-child", str(BATCHES_EACH), "-n", "events@%h")
    beat = processes.worker("-B", "-Q", "celery", "-c", "1", "-s", str(logs / "beat"), "-n", "beat@%h")
    web = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{run.port}"]
    with (
        processes.running(beat, env, logs / "beat.log"),
        processes.running(events, env, logs / "events.log") as worker,
        processes.running(web, env, logs / "web.log") as server,
    ):
        processes.wait_until(lambda: len(_children(server.pid)) == WORKERS, "the web server's start")
        _warm_up(run)
        pool = _children(worker.pid)
        _limits_and_logins(run)
        _lookups(run, exporter)
        with meanwhile(_Visitor(run, 1), PACE_S), meanwhile(_Visitor(run, 2), PACE_S):
            _attacks(run)
            _replace_one(server.pid)
            store.stop()
            store.start()
            _start_anew(run, exporter)
            _leave(run)
            os.kill(server.pid, signal.SIGHUP)  # a new release: all four, one after the other
            processes.wait_until(lambda: len(_children(server.pid)) > WORKERS, "the new web processes")
            processes.wait_until(lambda: len(_children(server.pid)) == WORKERS, "the old ones' end")
        _all_is_stored(run)
        assert not _children(worker.pid) & pool, "no process of the pool was replaced"


def _children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def _replace_one(server: int) -> None:
    before = _children(server)
    old = min(before)
    os.kill(old, signal.SIGTERM)
    processes.wait_until(
        lambda: old not in _children(server) and len(_children(server)) == WORKERS,
        "a new process in the old one's place",
    )


def _warm_up(run: Run) -> None:
    """The first events take longer: workers import, connections open."""
    run.ask("shop:product-list", "/api/v1/products/", "192.0.2.1")
    _all_is_stored(run)


def _all_is_stored(run: Run) -> None:
    rows = "SELECT count(*) FROM ip_tracking_requestlog"
    processes.wait_until(lambda: run.rows(rows) == [(len(run.logged),)], "the last stored row", every_s=LOOK_S)


def _limits_and_logins(run: Run) -> None:
    for client in ("192.0.2.10", "192.0.2.11"):
        for _ in range(30):
            run.ask("truth:limited", "/truth/limited/", client)
    for customer in ("ada", "ben", "chloe"):
        body = {"username": customer, "password": PASSWORD}
        run.ask("shop:login", "/api/v1/auth/token/", "192.0.2.20", "POST", body)
    for number in range(13):  # of a network that no detector blocks, and each time for another account
        body = {"username": f"nobody{number}", "password": "wrong"}
        run.ask("shop:login", "/api/v1/auth/token/", "127.0.0.50", "POST", body)


def _lookups(run: Run, exporter: Exporter) -> None:
    """The first reading begins the baseline; the next ones tell what came since."""
    _export_until(run, exporter, catalogue.EXPORTER_RESETS, 1)
    run.resets = 1
    run.watched.look_up(hits=120, misses=30)
    _export_until(run, exporter, catalogue.REDIS_HITS, 120)


def _start_anew(run: Run, exporter: Exporter) -> None:
    run.watched.look_up(hits=7, misses=5)
    _export_until(run, exporter, catalogue.REDIS_HITS, 127)
    run.watched.stop()
    run.watched.start()
    _export_until(run, exporter, catalogue.EXPORTER_RESETS, 2)
    run.resets = 2
    run.watched.look_up(hits=40, misses=10)
    _export_until(run, exporter, catalogue.REDIS_HITS, 167)
    exporter.export()  # one more, which must find nothing


def _export_until(run: Run, exporter: Exporter, metric: catalogue.Metric, total: int) -> None:
    exporter.export()
    processes.wait_until(lambda: run.agent.total(metric) >= total, f"{metric.name} of {total}", every_s=LOOK_S)


def _leave(run: Run) -> None:
    for number in range(LEAVING):
        run.leave(ENDLESS, "/truth/endless/", f"192.0.2.{number + 30}")
    processes.wait_until(
        lambda: run.agent.total(catalogue.ABORTED) >= LEAVING, "the end of what had none", every_s=LOOK_S
    )


def _attacks(run: Run) -> None:
    """Each is found, then refused: it goes on until it is, and a little longer."""
    for number in range(PROBERS + GUESSERS):
        client = f"203.0.113.{number + 1}"
        for step in range(10):
            if number < PROBERS:
                run.ask("unresolved", f"/{'abcdefghij'[step]}{number}-old-page/", client)
            else:
                body = {"username": f"victim{number}", "password": "wrong"}
                run.ask("shop:login", "/api/v1/auth/token/", client, "POST", body)
        blocked = f"SELECT 1 FROM ip_tracking_suspiciousip WHERE network = '{client}' AND enforcement = 'block'"  # noqa: S608
        processes.wait_until(partial(run.rows, blocked), f"the block of {client}", every_s=LOOK_S)
        processes.wait_until(partial(_is_refused, run, client), f"the refusal of {client}", 30, every_s=LOOK_S)
        for _ in range(10):
            run.ask("shop:category-list", "/api/v1/categories/", client)


def _is_refused(run: Run, client: str) -> bool:
    answer = run.ask("truth:page", "/truth/page/", client)
    return answer is not None and answer.is_block


class _Visitor:
    """A client that does a bit of everything, one thing each time."""

    def __init__(self, run: Run, number: int) -> None:
        self._run = run
        self._number = number
        self._turns = count()

    def __call__(self) -> None:
        turn = next(self._turns)
        # One of many networks, so that none of them meets a limit or looks like a machine.
        client = f"198.51.{self._number}.{turn % 250 + 1}"
        route, path, method = VISITS[turn % len(VISITS)]
        self._run.ask(route, path, client, method)


VISITS = [
    ("shop:product-list", "/api/v1/products/", "GET"),
    ("truth:page", "/truth/page/?size=1500", "GET"),
    ("shop:product-list", "/api/v1/products/", "HEAD"),
    ("truth:fail", "/truth/fail/", "GET"),
    ("limits", "/api/v1/limits/", "DELETE"),
    ("healthz", "/healthz", "GET"),
    ("truth:page", "/truth/page/", "BREW"),
    ("truth:page", "/truth/page/?size=0", "POST"),
    ("unresolved", "/favicon.png", "GET"),
    ("truth:stream", "/truth/stream/", "GET"),
    ("shop:category-list", "/api/v1/categories/", "OPTIONS"),
    *[("truth:look-up", f"/truth/look-up/{key}/", "GET") for key in ("first", "second", "first")],
]


@pytest.mark.parametrize("run", ["unix"], indirect=True)
def test_every_number_is_what_was_done(run: Run) -> None:
    _the_run_was_what_it_should_be(run)
    report = _report(run, "unix")

    for row in TRUTHS:
        assert row.received(run.agent) == row.told(run), row.name
    assert all(line["lost"] == 0 for line in report.values())


@pytest.mark.parametrize("run", ["udp"], indirect=True)
def test_over_udp_little_is_lost_and_nothing_is_made_up(run: Run) -> None:
    _the_run_was_what_it_should_be(run)
    report = _report(run, "udp")

    for row in TRUTHS:
        assert row.received(run.agent) <= row.told(run), row.name
    told, lost = (sum(line[key] for line in report.values()) for key in ("told", "lost"))
    assert lost <= LOST_MOST * told


def _the_run_was_what_it_should_be(run: Run) -> None:
    """Or the numbers would be true of less than they seem."""
    assert run.unanswered == []
    assert len({answer.request_id for answer in run.answers}) == len(run.answers)
    statuses = Counter(answer.status for answer in run.answers)
    assert {200, 401, 403, 404, 405, 429, 500} <= statuses.keys(), statuses
    # The watched server began anew once; nothing else was done that an event tells.
    assert [said.tags["event"] for said in run.agent.read() if isinstance(said, Event)] == ["baseline_reset"]
    refused = Counter(answer.policy for answer in run.answers if answer.policy)
    assert refused == {"twenty": 2 * 10, "login": 3}
    found = dict(run.rows("SELECT rule, count(*) FROM ip_tracking_casefinding GROUP BY 1"))
    assert found["probing"] == PROBERS
    assert (
        found["login-brute-force"] == GUESSERS + 1
    )  # who only met the limit is one too, of this machine's own network


def _report(run: Run, transport: str) -> dict[str, dict[str, float]]:
    """Prints and writes what was done and what was received, in all, row by row."""
    report = {}
    for row in TRUTHS:
        told, received = _sum(row.told(run)), _sum(row.received(run.agent))
        report[row.name] = {"told": told, "received": received, "lost": told - received}
    REPORT.parent.mkdir(exist_ok=True)
    known = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    REPORT.write_text(json.dumps({**known, transport: report}, indent=2) + "\n")
    lines = [f"{name:45} {line['told']:10g} done {line['received']:10g} received" for name, line in report.items()]
    sys.stderr.write("\n".join(["", f"Over {transport}, {len(run.answers)} requests:", *lines, ""]))
    return report


def _sum(found: Tally) -> float:
    return sum(found.values())
