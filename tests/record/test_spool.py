"""Batches that could not be sent: they wait as files, and each goes to one sender, once."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ip_tracking.record.message import Message, NotSent, pack, unpack
from ip_tracking.record.spool import Spool
from metrics import emit
from metrics.catalogue import BATCHES_SPOOLED, EVENTS_DROPPED
from tests.dogstatsd import Receiver
from tests.traffic import event

Sent = list[tuple[str, Message]]


@pytest.fixture
def sent() -> Sent:
    return []


def keep(spool: Spool, *batch_ids: str, directory: Path) -> None:
    """Keeps batches, each a second older than the next."""
    for age, batch_id in enumerate(reversed(batch_ids)):
        assert spool.keep(batch_id, pack([event(), event()]))
        os.utime(directory / f"{batch_id}.json", (1_000_000 - age, 1_000_000 - age))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def test_a_batch_comes_back_whole_under_the_id_it_was_kept_with(spool: Spool, sent: Sent) -> None:
    """The id is what makes a batch harmless that was delivered although nobody confirmed it."""
    events = [event(user_agent="\x00\ud800 {\"'"), event()]
    spool.keep("batch-1", pack(events))

    spool.send(lambda *batch: sent.append(batch))

    [(batch_id, message)] = sent
    assert batch_id == "batch-1"
    assert unpack(message) == events
    assert spool.waiting() == []


def test_the_oldest_go_first(spool: Spool, sent: Sent, directory: Path) -> None:
    keep(spool, "c", "a", "b", directory=directory)

    spool.send(lambda *batch: sent.append(batch))

    assert [batch_id for batch_id, _ in sent] == ["c", "a", "b"]


def test_what_cannot_be_sent_now_stays_and_the_others_wait_too(spool: Spool, sent: Sent, directory: Path) -> None:
    keep(spool, "a", "b", directory=directory)

    def refuse(batch_id: str, message: Message) -> None:
        sent.append((batch_id, message))
        raise NotSent("the broker is away")

    with pytest.raises(NotSent):
        spool.send(refuse)

    assert [batch_id for batch_id, _ in sent] == ["a"]
    assert [path.stem for path in spool.waiting()] == ["a", "b"]


def test_sending_ends_when_it_is_time_for_something_else(spool: Spool, sent: Sent, directory: Path) -> None:
    keep(spool, "a", "b", "c", directory=directory)

    spool.send(lambda *batch: sent.append(batch), lambda: len(sent) < 2)

    assert [path.stem for path in spool.waiting()] == ["c"]


@pytest.mark.parametrize("text", ["", "{", '{"version": 1', "\x00", b"\xff\xfe"])
def test_a_file_that_is_no_batch_is_kept_aside_and_the_others_go(
    spool: Spool, sent: Sent, directory: Path, caplog: pytest.LogCaptureFixture, text: str | bytes
) -> None:
    keep(spool, "torn", "whole", directory=directory)
    (directory / "torn.json").write_bytes(text if isinstance(text, bytes) else text.encode())

    with caplog.at_level(logging.ERROR):
        spool.send(lambda *batch: sent.append(batch))

    assert [batch_id for batch_id, _ in sent] == ["whole"]
    assert (directory / "torn.broken").exists()
    assert "torn.broken" in caplog.text


def test_a_batch_that_nobody_can_take_is_kept_aside_too(spool: Spool, sent: Sent, directory: Path) -> None:
    """Else the first one in the row would hold up all the others for ever."""
    keep(spool, "poison", "good", directory=directory)

    def take(batch_id: str, message: Message) -> None:
        if batch_id == "poison":
            raise ValueError("a bug")
        sent.append((batch_id, message))

    spool.send(take)

    assert [batch_id for batch_id, _ in sent] == ["good"]
    assert (directory / "poison.broken").exists()


def test_past_the_bound_the_oldest_batch_goes_and_its_events_are_counted(agent: Receiver, directory: Path) -> None:
    spool = Spool(str(directory), most_files=2)
    keep(spool, "a", "b", directory=directory)

    spool.keep("c", pack([event()]))
    emit.flush()

    assert sorted(path.stem for path in spool.waiting()) == ["b", "c"]
    assert agent.total(EVENTS_DROPPED, reason="spool_full") == 2
    assert agent.total(BATCHES_SPOOLED) == 3


def test_a_spool_without_a_directory_keeps_nothing() -> None:
    spool = Spool("")

    assert not spool.keep("a", pack([event()]))
    assert spool.waiting() == []


def test_a_directory_that_cannot_be_written_is_told_and_not_fatal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")

    with caplog.at_level(logging.ERROR):
        assert not Spool(str(tmp_path / "file" / "spool")).keep("a", pack([event()]))

    assert "could not be spooled" in caplog.text


def test_a_batch_that_does_not_fit_leaves_no_half_file(spool: Spool, directory: Path) -> None:
    class Unwritable:
        """What JSON cannot hold stands for a full disk: the writing ends in the middle."""

    with pytest.raises(TypeError):
        spool.keep("a", pack([event()]) | {"more": Unwritable()})

    assert list(directory.iterdir()) == []


def test_nobody_else_can_read_what_waits(spool: Spool, directory: Path) -> None:
    spool.keep("a", pack([event()]))

    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "a.json").stat().st_mode) == 0o600


def test_many_senders_send_each_batch_once(spool: Spool, sent: Sent, directory: Path) -> None:
    batch_ids = [f"batch-{number}" for number in range(200)]
    keep(spool, *batch_ids, directory=directory)

    def drain() -> None:
        spool.send(lambda *batch: sent.append(batch))

    senders = [threading.Thread(target=drain) for _ in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()

    assert sorted(batch_id for batch_id, _ in sent) == sorted(batch_ids)


HANGING_SENDER = """
import sys, time
from ip_tracking.record.spool import Spool
def hang(batch_id, message):
    print(batch_id, flush=True)
    time.sleep(60)
Spool(sys.argv[1]).send(hang)
"""


def test_what_a_killed_sender_had_in_hand_is_sent_by_another(spool: Spool, sent: Sent, directory: Path) -> None:
    """And not before: while that process lives, the batch is its own."""
    spool.keep("a", pack([event()]))
    sender = subprocess.Popen([sys.executable, "-c", HANGING_SENDER, str(directory)], stdout=subprocess.PIPE, text=True)
    assert sender.stdout is not None
    assert sender.stdout.readline() == "a\n"

    spool.send(lambda *batch: sent.append(batch))
    assert sent == []

    sender.kill()
    sender.communicate()
    spool.send(lambda *batch: sent.append(batch))

    assert [batch_id for batch_id, _ in sent] == ["a"]
