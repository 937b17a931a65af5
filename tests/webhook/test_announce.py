"""Who is told of what: once for each time that a case becomes grave, after it is committed."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery, current_app
from celery.contrib.testing.app import setup_default_app
from celery.contrib.testing.worker import start_worker
from django.core import checks
from django.db import transaction
from pytest_django.fixtures import Settings

from ip_tracking import cases, tasks
from ip_tracking.detection.finding import Severity
from ip_tracking.models import SuspiciousIP
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, Order
from ip_tracking.webhook.deliver import MOST_TRIES
from metrics import client as metrics_client
from metrics import emit
from metrics.catalogue import WEBHOOKS
from sentinel.embedded import broker_url, start_valkey
from tests.dogstatsd import Receiver as Agent
from tests.dogstatsd import udp_receiver
from tests.e2e.processes import wait_until
from tests.metrics.conftest import send_to
from tests.traffic import ATTACKER, NOON, finding
from tests.webhook.conftest import Receiver

Configure = Callable[..., object]
Commit = Callable[..., AbstractContextManager[Any]]

DANA = Actor(id="7", name="dana")
HOUR = timedelta(hours=1)


class Queue:
    """A broker of the test's own."""

    def __init__(self, directory: Path) -> None:
        self.process = start_valkey(directory)
        self.socket = str(directory / "valkey.sock")

    def take(self) -> list[dict[str, Any]]:
        """What was queued for the webhook since the last time, as its body says."""
        with redis.Redis(unix_socket_path=self.socket) as client:
            count = client.llen("celery")
        if not count:
            return []
        with current_app.connection_for_write() as connection, connection.SimpleQueue("celery") as queue:
            messages = [queue.get(timeout=5) for _ in range(int(count))]
            for message in messages:
                message.ack()
        assert {message.headers["task"] for message in messages} == {"ip_tracking.tasks.send_webhook"}
        return [json.loads(message.payload[0][0]) for message in messages]


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    """An application of the test's own, too: the project's keeps its connections to the broker it met first."""
    with tempfile.TemporaryDirectory(prefix="webhook-") as name:
        queue = Queue(Path(name))
        monkeypatch.setenv("CELERY_BROKER_URL", broker_url(Path(name)))
        app = Celery("webhook", set_as_current=False)
        app.config_from_object("django.conf:settings", namespace="CELERY")
        with setup_default_app(app):
            app.set_current()
            yield queue
            app.pool.force_close_all()
        queue.process.kill()
        queue.process.wait()


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    with udp_receiver() as agent:
        send_to(monkeypatch, agent.environ)
        yield agent
        metrics_client.close()


@pytest.fixture
def filed(django_capture_on_commit_callbacks: Commit) -> Callable[..., None]:
    """Files findings, and commits."""

    def file(*findings: Any, **how: Any) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            cases.file(findings, **({"now": NOON} | how))

    return file


@pytest.mark.django_db
def test_a_grave_case_is_told_with_all_one_needs_to_look_at_it(
    told: Receiver, queue: Queue, filed: Callable[..., None]
) -> None:
    filed(finding())

    case = SuspiciousIP.objects.get()
    [message] = queue.take()
    assert re.fullmatch(r"[0-9a-f-]{36}", message.pop("id"))
    assert message == {
        "version": 1,
        "event": "case.opened",
        "at": NOON.isoformat(),
        "case": {
            "id": case.pk,
            "network": ATTACKER,
            "severity": "high",
            "score": case.score,
            "rule": "login-brute-force",
            "first_seen": case.first_seen.isoformat(),
            "last_seen": case.last_seen.isoformat(),
            "link": f"https://shop.example.com/admin/ip_tracking/suspiciousip/{case.pk}/change/",
        },
    }


@pytest.mark.django_db
def test_it_is_told_once_and_not_for_each_finding(told: Receiver, queue: Queue, filed: Callable[..., None]) -> None:
    filed(finding(), finding("probing"))
    filed(finding(count=99), finding("exploit-attempt", severity=Severity.CRITICAL))
    filed(finding(count=99))

    assert [message["event"] for message in queue.take()] == ["case.opened"]


@pytest.mark.django_db
def test_a_milder_case_is_told_when_it_becomes_grave(told: Receiver, queue: Queue, filed: Callable[..., None]) -> None:
    filed(finding("probing", severity=Severity.MEDIUM))
    before = queue.take()
    filed(finding())

    assert before == []
    assert [message["event"] for message in queue.take()] == ["case.worsened"]


@pytest.mark.django_db
@pytest.mark.parametrize("order", [Order(Action.JUDGE, "Seen it.", verdict="malicious"), Order(Action.SNOOZE)])
def test_a_case_that_comes_back_is_told_again(
    told: Receiver, queue: Queue, filed: Callable[..., None], order: Order
) -> None:
    filed(finding())
    apply(order, {SuspiciousIP.objects.get().pk: None}, actor=DANA, now=NOON)
    queue.take()

    filed(finding("probing", first=NOON + HOUR), now=NOON + HOUR)
    filed(finding("probing", first=NOON + HOUR, count=77), now=NOON + HOUR)

    assert [message["event"] for message in queue.take()] == ["case.reopened"]


@pytest.mark.django_db
def test_a_case_that_stays_closed_is_not(told: Receiver, queue: Queue, filed: Callable[..., None]) -> None:
    filed(finding())
    order = Order(Action.JUDGE, "Our own monitoring.", verdict="benign")
    apply(order, {SuspiciousIP.objects.get().pk: None}, actor=DANA, now=NOON)
    queue.take()

    filed(finding("probing", first=NOON + HOUR), now=NOON + HOUR)

    assert queue.take() == []


@pytest.mark.django_db
def test_neither_a_log_file_nor_a_project_without_a_receiver_tells_anybody(
    told: Receiver, queue: Queue, tracking: Configure, filed: Callable[..., None]
) -> None:
    filed(finding(network="198.51.100.7"), source="access.log")
    tracking(WEBHOOK_URL="")
    filed(finding())

    assert queue.take() == []


@pytest.mark.django_db(transaction=True)
def test_a_case_that_was_rolled_back_is_told_to_nobody(told: Receiver, queue: Queue) -> None:
    with transaction.atomic():
        cases.file([finding()], now=NOON)
        transaction.set_rollback(True)

    assert queue.take() == []


@pytest.mark.django_db
def test_strange_text_is_inert_in_the_message(told: Receiver, queue: Queue, filed: Callable[..., None]) -> None:
    rule = 'x"},"case":{"id":0}}\n\u202e\x1b[31m<script>'
    filed(finding(rule))

    with redis.Redis(unix_socket_path=queue.socket) as client:
        assert client.llen("celery") == 1
    [message] = queue.take()
    assert message["case"]["rule"] == rule
    assert json.dumps(message, ensure_ascii=True).isprintable()


@pytest.mark.django_db
def test_a_broker_that_is_away_costs_the_message_and_not_the_case(
    told: Receiver, queue: Queue, filed: Callable[..., None], agent: Agent
) -> None:
    queue.process.kill()
    queue.process.wait()

    filed(finding())
    emit.flush()

    assert SuspiciousIP.objects.exists()
    agent.wait_for(lambda: agent.total(WEBHOOKS, outcome="not_queued") == 1)


# The task


def test_it_gives_up_in_the_end_and_says_so(told: Receiver, agent: Agent) -> None:
    told.statuses = [500]

    tasks.send_webhook.apply(args=["{}"])
    emit.flush()

    assert len(told.received) == MOST_TRIES
    agent.wait_for(lambda: agent.total(WEBHOOKS, outcome="given_up") == 1)
    assert agent.total(WEBHOOKS, outcome="again") == MOST_TRIES - 1


def test_what_the_receiver_does_not_want_is_not_repeated(told: Receiver, agent: Agent) -> None:
    told.statuses = [401]

    tasks.send_webhook.apply(args=["{}"])
    emit.flush()

    assert len(told.received) == 1
    agent.wait_for(lambda: agent.total(WEBHOOKS, outcome="rejected") == 1)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore")  # of Celery's own worker
def test_a_worker_tries_again_until_the_receiver_is_back(told: Receiver, queue: Queue) -> None:
    """From the finding to the third try, over a real broker; the same message each time, signed anew."""
    told.statuses = [500, 503, 204]

    with start_worker(current_app, pool="solo", perform_ping_check=False, loglevel="ERROR"):
        cases.file([finding()], now=NOON)
        wait_until(lambda: len(told.received) == 3, "the third try", 60)

    first, _, last = told.received
    assert first.body == last.body
    assert first.said["case"]["network"] == ATTACKER
    assert first.headers["Sentinel-Signature"] != last.headers["Sentinel-Signature"]


# Settings


def found() -> dict[str, str]:
    messages = checks.run_checks(tags=[checks.Tags.security])
    return {str(one.id): str(one.msg) for one in messages if str(one.id).startswith("ip_tracking.")}


def test_a_webhook_that_can_be_used_passes(told: Receiver) -> None:
    assert found() == {}


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://alerts.example.com/", "it is not https"),
        ("alerts.example.com/", "write https://"),
        ("https:///path", "write https://"),
        ("ftp://alerts.example.com/", "write https://"),
        ("https://alerts.example.com:port/", "cannot be read"),
        (f"https://{'a' * 64}.example.com/", "cannot be read"),
        ("https://dana:secret@alerts.example.com/", "user or a password"),
        ("https://alerts.example.com/a b", "percent-encode"),
        ("https://alerts.example.com/\r\nX-Evil: 1", "percent-encode"),
        ("https://10.0.0.7/", "10.0.0.7 is not public"),
        ("https://127.0.0.1/", "not public"),
        ("https://[::1]/", "not public"),
        ("https://[::ffff:169.254.169.254]/", "not public"),
        ("https://169.254.169.254/latest/meta-data/", "not public"),
    ],
)
def test_e013_a_url_that_leads_nowhere_good(told: Receiver, tracking: Configure, url: str, word: str) -> None:
    tracking(WEBHOOK_URL=url, WEBHOOK_NETWORKS=[])

    messages = found()

    assert list(messages) == ["ip_tracking.E013"]
    assert word in messages["ip_tracking.E013"]


@pytest.mark.parametrize("secret", ["", "short"])
def test_e014_a_secret_that_anybody_could_guess(told: Receiver, tracking: Configure, secret: str) -> None:
    tracking(WEBHOOK_SECRET=secret)

    assert list(found()) == ["ip_tracking.E014"]


def test_w013_a_secret_that_signs_nothing(told: Receiver, tracking: Configure) -> None:
    tracking(WEBHOOK_URL="")

    assert list(found()) == ["ip_tracking.W013"]


@pytest.mark.parametrize(
    ("networks", "word"),
    [
        (["0.0.0.0/0"], "in none of"),
        (["169.254.0.0/16"], "in none of"),
        (["8.8.8.0/24"], "in none of"),
        (["::/0"], "in none of"),
        (["10.0.0.1/8"], "host bits"),
        (["nginx"], "does not appear to be"),
        ("10.0.0.0/8", "write a list"),
    ],
)
def test_e001_networks_that_are_not_ones_own(settings: Settings, networks: Any, word: str) -> None:
    settings.IP_TRACKING = {"WEBHOOK_NETWORKS": networks}

    assert word in found()["ip_tracking.E001"]


def test_the_secret_is_not_shown_with_the_settings(told: Receiver, tracking: Configure) -> None:
    shown = repr(tracking())

    assert told.url in shown
    assert "a secret of the tests" not in shown
