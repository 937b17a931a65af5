"""The views of a log that may yet turn out a crawl."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ip_tracking.detection.finding import Rule
from ip_tracking.detection.pages import VIEWS_READ, as_page
from ip_tracking.detection.rules import CRAWLING, SCRAPING
from ip_tracking.event import US, Event

# About 50 MB. When so many are held, what is no part of a crowd is forgotten: a crawl whose pages lie further apart
# in what is read is missed. Logs of several servers over the same time are best merged first.
MOST_HELD = 100_000

View = tuple[int, str, Event, bool]  # as it sorts: when, which line; and whether no page led to it
Views = dict[int, list[View]]  # of one network, by the second since the epoch


@dataclass(slots=True)
class Pages:
    """Keeps views by network and second, and of each second no more than are looked at."""

    most: int = MOST_HELD
    held: int = 0
    _viewed: defaultdict[str, Views] = field(default_factory=lambda: defaultdict(dict))

    def keep(self, event: Event, request_id: str, *, unled: bool = False) -> None:
        views = self._viewed[event.network].setdefault(event.at_us // US, [])
        views.append((event.at_us, request_id, event, unled))
        self.held += 1
        if len(views) >= 2 * VIEWS_READ:
            self.held -= len(views) - VIEWS_READ
            views[:] = _looked_at(views)
        if self.held >= self.most:
            self._forget()

    def crowded(self) -> Iterator[Event]:
        """The pages that may be part of a crawl, as the rules count them."""
        for views in self._viewed.values():
            for second in _crowds(views):
                for _, request_id, event, unled in _looked_at(views[second]):
                    yield as_page(event._replace(request_id=request_id), unled=unled)

    def _forget(self) -> None:
        kept = {network: {s: _looked_at(views[s]) for s in _crowds(views)} for network, views in self._viewed.items()}
        self._viewed = defaultdict(dict, {network: views for network, views in kept.items() if views})
        self.held = sum(len(views) for seconds in self._viewed.values() for views in seconds.values())
        self.most = max(self.most, 2 * self.held)  # or a log of nothing but crowds would be gone through at every line


def _looked_at(views: Sequence[View]) -> list[View]:
    return sorted(views)[:VIEWS_READ]


def _crowds(views: Views) -> set[int]:
    """The seconds that lie in a window which may hold as many different pages as a rule asks for."""
    all_of = {second: len({view[2].path for view in at}) for second, at in views.items()}
    unled = {second: len({view[2].path for view in at if view[3]}) for second, at in views.items()}
    return _crowded_seconds(all_of, CRAWLING) | _crowded_seconds(unled, SCRAPING)


def _crowded_seconds(pages: dict[int, int], rule: Rule) -> set[int]:
    if sum(pages.values()) < rule.threshold:
        return set()
    crowded: set[int] = set()
    window: deque[int] = deque()
    held = 0
    for second in sorted(pages):
        window.append(second)
        held += pages[second]
        while window[0] < second - rule.window_s:
            held -= pages[window.popleft()]
        if held >= rule.threshold:
            crowded.update(window)
    return crowded
