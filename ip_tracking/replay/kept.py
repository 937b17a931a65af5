"""What a replay holds in memory: the telling requests of each network, until it is judged. Never the lines.

Equal requests of an hour are held once, with the time and the place of each: a client that repeats itself a thousand
times costs sixteen bytes a time.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ip_tracking.detection import bursts
from ip_tracking.detection.bursts import READ_BACK
from ip_tracking.event import HOUR_US, Event

# Room for a hundred thousand networks with one telling request each.
MOST_BYTES = 128 * 2**20
# Measured, with what Python adds, of a request of usual length; the longest takes twice as much.
REQUEST_BYTES = 1_280
REPEAT_BYTES = 16
# Where there is no more room this share stays, so that it is not full again with the next line.
STAYS = 0.9
# Events of one network that are judged at once, some 40 MB. Only who attacks for a day and more comes to so many.
STRETCH = 100_000


@dataclass(slots=True)
class Hour:
    """One network's telling requests of one hour: of each distinct one time, place, time, place..."""

    requests: dict[Event, array[int]] = field(default_factory=dict)
    length: int = 0

    @property
    def bytes(self) -> int:
        return len(self.requests) * REQUEST_BYTES + self.length * REPEAT_BYTES

    def add(self, event: Event, place: int) -> None:
        self.requests.setdefault(event._replace(at_us=0, request_id=""), array("q")).extend((event.at_us, place))
        self.length += 1

    def events(self) -> Iterator[Event]:
        """The place for a request_id, padded: events of one second keep the file's order."""
        for request, repeats in self.requests.items():
            for at_us, place in zip(repeats[::2], repeats[1::2], strict=True):
                yield request._replace(at_us=at_us, request_id=f"{place:020d}")

    def capped(self) -> Hour:
        hour = Hour()
        for event in bursts.earliest(self.events()):
            hour.add(event, int(event.request_id))
        return hour


class Network:
    """One network's hours."""

    def __init__(self) -> None:
        self._hours: dict[int, Hour] = {}

    @property
    def bytes(self) -> int:
        return sum(hour.bytes for hour in self._hours.values())

    def add(self, event: Event, place: int) -> int:
        """Returns by how many bytes it grew."""
        hour = self._hours.setdefault(event.hour_us, Hour())
        before = hour.bytes
        hour.add(event, place)
        if hour.length >= 4 * READ_BACK:  # twice what the cap can leave: a long hour is sorted now and then only
            self._hours[event.hour_us] = hour = hour.capped()
        return hour.bytes - before

    def stretches(self, reach_us: int, most: int = STRETCH) -> Iterator[tuple[int, list[Event]]]:
        """All events, as a time to judge from and what it takes for that: mostly one stretch with everything.

        A longer one is preceded by what windows of `reach_us` still see of the last.
        """
        events: list[Event] = []
        since_us = fresh = 0
        for hour_us in sorted(self._hours):
            before = len(events)
            events += bursts.earliest(self._hours[hour_us].events())
            fresh += len(events) - before
            if fresh >= most:
                yield since_us, events
                since_us, fresh = hour_us + HOUR_US, 0
                events = [event for event in events if event.at_us >= since_us - reach_us]
        if fresh:
            yield since_us, events


class Kept:
    """What is held of each network, the one seen least recently first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._networks: OrderedDict[str, Network] = OrderedDict()

    def add(self, event: Event, place: int) -> None:
        network = self._networks.setdefault(event.network, Network())
        self._networks.move_to_end(event.network)
        self._bytes += network.add(event, place)

    @property
    def is_full(self) -> bool:
        return self._bytes > self._most_bytes

    def make_room(self) -> Iterator[Network]:
        """Lets go of the networks seen least recently, and gives them to be judged."""
        while self._networks and self._bytes > self._most_bytes * STAYS:
            _, network = self._networks.popitem(last=False)
            self._bytes -= network.bytes
            yield network

    def all(self) -> Iterable[Network]:
        return self._networks.values()
