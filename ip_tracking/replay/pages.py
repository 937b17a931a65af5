"""The views of a log that may yet turn out a crawl."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from ip_tracking.detection.pages import VIEWS_READ, as_page
from ip_tracking.detection.rules import CRAWLING
from ip_tracking.event import US, Event

# About 50 MB. When so many are held, what is no part of a crowd is forgotten: a crawl whose pages lie further apart
# in what is read is missed. Logs of several servers over the same time are best merged first.
MOST_HELD = 100_000

Second = tuple[str, int]  # a network, and a second since the epoch
View = tuple[int, str, Event]  # as it sorts: when, and which line


@dataclass(slots=True)
class Pages:
    """Keeps views by network and second, and of each second no more than are looked at."""

    most: int = MOST_HELD
    held: int = 0
    _viewed: defaultdict[Second, list[View]] = field(default_factory=lambda: defaultdict(list))

    def keep(self, event: Event, request_id: str) -> None:
        views = self._viewed[event.network, event.at_us // US]
        views.append((event.at_us, request_id, event))
        self.held += 1
        if len(views) >= 2 * VIEWS_READ:
            self.held -= len(views) - VIEWS_READ
            views[:] = sorted(views)[:VIEWS_READ]
        if self.held >= self.most:
            self._forget()

    def crowded(self) -> Iterator[Event]:
        """The pages that may be part of a crawl, as the rules count them."""
        for second in self._crowds():
            for _, request_id, event in sorted(self._viewed[second])[:VIEWS_READ]:
                yield as_page(event._replace(request_id=request_id))

    def _forget(self) -> None:
        crowds = {second: self._viewed[second] for second in self._crowds()}
        self._viewed = defaultdict(list, crowds)
        self.held = sum(map(len, crowds.values()))
        self.most = max(self.most, 2 * self.held)  # or a log of nothing but crowds would be gone through at every line

    def _crowds(self) -> list[Second]:
        return [second for second in self._viewed if self._around(second) >= CRAWLING.threshold]

    def _around(self, second: Second) -> int:
        network, at_s = second
        near = range(at_s - CRAWLING.window_s, at_s + CRAWLING.window_s + 1)
        return sum(len(self._viewed.get((network, one), ())) for one in near)
