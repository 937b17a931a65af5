"""log.errors: one for each line of level error or worse, whoever wrote it; and no way for it to count itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest
from django.test import Client

from metrics import client, emit
from metrics.catalogue import ERRORS, REQUEST_EXCEPTIONS
from metrics.entry import Metric
from metrics.errors import CountErrors
from tests.dogstatsd import Receiver

WITHIN_S = 10.0


@pytest.fixture(autouse=True)
def counted() -> Iterator[None]:
    """As `root` of LOGGING has it."""
    handler = CountErrors()
    root = logging.getLogger()
    before = [one for one in root.handlers if isinstance(one, CountErrors)]  # of this very project
    for one in before:
        root.removeHandler(one)
    root.addHandler(handler)
    yield
    root.removeHandler(handler)
    for one in before:
        root.addHandler(one)


def total(agent: Receiver, **tags: str) -> float:
    emit.flush()
    return agent.total(ERRORS, **tags)


def test_each_error_is_counted_by_who_wrote_it_and_how_bad_it_is(agent: Receiver) -> None:
    logging.getLogger("shop.orders.checkout").error("An order of %s", "203.0.113.9")
    logging.getLogger("shop").critical("No more")
    logging.getLogger("shop").warning("Perhaps")

    assert total(agent, logger="shop", level="error") == 1
    assert total(agent, logger="shop", level="critical") == 1
    assert total(agent) == 2
    assert b"203.0.113.9" not in agent.raw


def test_an_exception_in_a_view_is_one_error_and_one_exception(agent: Receiver) -> None:
    Client(raise_request_exception=False).get("/raises/value/")

    assert total(agent, logger="django") == 1
    assert agent.total(REQUEST_EXCEPTIONS) == 1


@pytest.mark.parametrize("path", ["/raises/odd/", "/raises/missing/", "/status/404/"])
def test_what_callers_cause_at_will_is_none(agent: Receiver, path: str) -> None:
    """Django logs a SuspiciousOperation as an error, and answers 400."""
    Client(raise_request_exception=False).get(path)

    assert total(agent) == 0


@pytest.mark.usefixtures("lenient")
def test_what_the_metrics_complain_of_is_not_counted_by_them(agent: Receiver) -> None:
    emit.count(Metric("never.heard.of", "count", "item", "Not in the catalogue."))
    logging.getLogger("datadog.dogstatsd").error("No socket")

    assert total(agent) == 0


@pytest.mark.usefixtures("lenient")
def test_a_client_that_cannot_be_made_neither_hangs_nor_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so while it holds the lock that counting would need."""
    client.close()
    monkeypatch.delenv("DD_DOGSTATSD_DISABLE", raising=False)
    monkeypatch.setenv("DD_DOGSTATSD_PORT", "no number")

    thread = threading.Thread(target=logging.getLogger("shop").error, args=("An order",), daemon=True)
    thread.start()
    thread.join(WITHIN_S)
    client.close()

    assert not thread.is_alive()


def test_a_logger_of_another_thread_waits_for_no_lock_of_ours(agent: Receiver) -> None:
    """One thread builds the client and complains; another counts an error, and needs the client."""
    client.close()
    handler = next(one for one in logging.getLogger().handlers if isinstance(one, CountErrors))
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        handler.acquire()
        held.set()
        done.wait(3 * WITHIN_S)
        handler.release()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(WITHIN_S)
    counting = threading.Thread(target=logging.getLogger("shop").error, args=("An order",), daemon=True)
    counting.start()
    counting.join(WITHIN_S)
    finished = not counting.is_alive()
    done.set()
    holder.join()

    assert finished
    assert total(agent) == 1


def test_who_logs_within_the_counting_is_not_counted_again(agent: Receiver) -> None:
    """Else an error of each error: for ever."""

    class Echo(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            logging.getLogger("echo").error("again")
            return True

    handler = next(one for one in logging.getLogger().handlers if isinstance(one, CountErrors))
    handler.addFilter(Echo())

    logging.getLogger("shop").error("once")

    assert total(agent) == total(agent, logger="shop") == 1
