"""The events of this process that wait to be sent."""

from __future__ import annotations

import threading
from itertools import chain

from ip_tracking.event import Event
from ip_tracking.record import buffer
from metrics import emit
from metrics.catalogue import EVENTS_DROPPED
from tests.dogstatsd import Receiver
from tests.test_background import in_forked_child
from tests.traffic import event


def numbered(number: int) -> Event:
    return event()._replace(request_id=str(number))


def numbers(events: list[Event]) -> list[int]:
    return [int(event.request_id) for event in events]


def test_events_leave_in_the_order_they_came_a_batch_at_a_time() -> None:
    for number in range(buffer.BATCH + 5):
        buffer.remember(numbered(number))

    assert numbers(buffer.take()) == list(range(buffer.BATCH))
    assert numbers(buffer.take()) == list(range(buffer.BATCH, buffer.BATCH + 5))
    assert buffer.take() == []


def test_it_says_when_a_whole_batch_waits() -> None:
    told = [buffer.remember(numbered(number)) for number in range(buffer.BATCH + 1)]

    assert told.index(True) == buffer.BATCH - 1
    assert told.count(True) == 1


def test_past_the_bound_the_oldest_go_and_are_counted(agent: Receiver) -> None:
    for number in range(buffer.MOST + 3):
        buffer.remember(numbered(number))
    emit.flush()

    assert buffer.waiting() == buffer.MOST
    assert numbers(buffer.take(1)) == [3]
    assert agent.total(EVENTS_DROPPED, reason="buffer_full") == 3


def test_two_takers_never_get_the_same_event() -> None:
    for number in range(20_000):
        buffer.remember(numbered(number))
    taken: list[list[int]] = [[], [], [], []]

    def drain(mine: list[int]) -> None:
        while events := buffer.take(7):
            mine += numbers(events)

    takers = [threading.Thread(target=drain, args=(mine,)) for mine in taken]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()

    assert sorted(chain(*taken)) == list(range(20_000))


def test_a_forked_child_does_not_send_its_parents_events_again() -> None:
    buffer.remember(numbered(1))

    assert in_forked_child(lambda: str(buffer.waiting()).encode()) == b"0"
    assert buffer.waiting() == 1
