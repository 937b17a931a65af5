"""Buffer to broker, or to the spool and then to the broker."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from ip_tracking.record import buffer
from ip_tracking.record.message import Message, NotSent, unpack
from ip_tracking.record.sender import BREAK_S, EVERY_S, Sender
from ip_tracking.record.spool import Spool
from metrics import emit
from metrics.catalogue import BUFFER_LENGTH, EVENTS_DROPPED, SPOOL_BATCHES, SPOOL_BYTES
from tests.dogstatsd import Receiver
from tests.traffic import event


class Broker:
    """What takes batches: it can be away, and an hour with it passes at once."""

    def __init__(self) -> None:
        self.away = False
        self.poison = False
        self.tried: list[str] = []
        self.taken: dict[str, Message] = {}
        self.now = 1_000.0
        self.takes_s = 0.0

    def take(self, batch_id: str, message: Message) -> None:
        self.tried.append(batch_id)
        self.now += self.takes_s
        if self.poison:
            raise ValueError("a bug")
        if self.away:
            raise NotSent("ConnectionError: refused")
        self.taken[batch_id] = message

    @property
    def events(self) -> list[str]:
        return [event.request_id for message in self.taken.values() for event in unpack(message)]


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def sender(broker: Broker, spool: Spool) -> Sender:
    return Sender(broker.take, spool, clock=lambda: broker.now)


def remember(number: int) -> list[str]:
    events = [event() for _ in range(number)]
    for one in events:
        buffer.remember(one)
    return [one.request_id for one in events]


def test_all_that_waits_is_sent_in_batches(sender: Sender, broker: Broker) -> None:
    remembered = remember(2 * buffer.BATCH + 50)

    sender.flush()

    assert broker.events == remembered
    assert [len(message["events"]) for message in broker.taken.values()] == [buffer.BATCH, buffer.BATCH, 50]
    assert buffer.waiting() == 0


def test_without_events_nothing_is_sent(sender: Sender, broker: Broker) -> None:
    sender.flush()

    assert broker.tried == []


def test_what_was_not_sent_comes_later_under_the_same_id(sender: Sender, broker: Broker) -> None:
    remembered = remember(1)
    broker.away = True
    sender.flush()
    broker.away = False
    broker.now += BREAK_S

    sender.flush()

    first, second = broker.tried
    assert first == second
    assert broker.events == remembered


def test_after_a_failure_the_broker_is_left_alone_for_a_while(
    sender: Sender, broker: Broker, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    """Each try may cost two seconds, in which the buffer would fill."""
    broker.away = True
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            remember(buffer.BATCH)
            sender.flush()
            broker.now += BREAK_S / 4

    assert len(broker.tried) == 1
    assert len(spool.waiting()) == 3
    assert caplog.text.count("spooled for now") == 1

    broker.now += BREAK_S
    remember(1)
    sender.flush()

    assert len(broker.tried) == 2
    assert len(spool.waiting()) == 4


def test_while_the_broker_is_left_alone_few_events_wait_in_the_buffer(
    sender: Sender, broker: Broker, spool: Spool
) -> None:
    """A file for each quarter second of each quiet process would soon fill the spool."""
    broker.away = True
    remember(1)
    sender.flush()
    for _ in range(5):
        remember(1)
        sender.flush()
    waited = (len(spool.waiting()), buffer.waiting())

    sender.flush(last=True)

    assert waited == (1, 5)
    assert (len(spool.waiting()), buffer.waiting()) == (2, 0)


def test_when_the_broker_is_back_new_events_go_before_old_ones(sender: Sender, broker: Broker, spool: Spool) -> None:
    broker.away = True
    old = remember(1)
    sender.flush()
    broker.away = False
    broker.now += BREAK_S
    new = remember(1)

    sender.flush()

    assert broker.events == new + old
    assert spool.waiting() == []


def test_a_long_spool_is_sent_in_pieces_between_the_events_of_now(sender: Sender, broker: Broker, spool: Spool) -> None:
    broker.away = True
    for _ in range(5):
        remember(1)
        sender.flush(last=True)
    broker.away = False
    broker.now += BREAK_S
    broker.takes_s = EVERY_S / 2

    sender.flush()

    assert len(spool.waiting()) == 3


def test_a_batch_that_fails_by_itself_is_kept_and_does_not_hold_up_the_next(
    sender: Sender, broker: Broker, spool: Spool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    remembered = remember(1)
    broker.poison = True
    with caplog.at_level(logging.ERROR):
        sender.flush()
    broker.poison = False

    later = remember(1)
    sender.flush()

    assert broker.events == later
    assert "could not be sent" in caplog.text
    assert remembered[0] in next((tmp_path / "spool").glob("*.broken")).read_text()


def test_without_a_spool_what_was_not_sent_is_counted(agent: Receiver, broker: Broker) -> None:
    sender = Sender(broker.take, Spool(""), clock=lambda: broker.now)
    broker.away = True
    remember(3)

    sender.flush()
    emit.flush()

    assert agent.total(EVENTS_DROPPED, reason="not_sent") == 3


def test_what_waits_is_told_at_its_fullest_and_on_disk(
    agent: Receiver, sender: Sender, broker: Broker, spool: Spool
) -> None:
    """A flush comes before each telling: the buffer is empty by then."""
    remember(7)
    sender.flush()
    sender.tell()
    broker.away = True
    for _ in range(2):
        remember(buffer.BATCH)
        sender.flush()
    sender.tell()
    sender.tell()
    emit.flush()

    size = sum(path.stat().st_size for path in spool.waiting())
    assert agent.values(BUFFER_LENGTH) == [7, buffer.BATCH, 0]
    assert agent.values(SPOOL_BATCHES) == [0, 2, 2]
    assert agent.values(SPOOL_BYTES) == [0, size, size]
