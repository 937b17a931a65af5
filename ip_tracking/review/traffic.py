"""The requests of one network over time, with what happened to its case, as the timeline shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ip_tracking.models import RequestLog
from ip_tracking.review.charts import SPANS, Mark, Timeline, status_class, timeline

FIRST_PERIOD = "24h"

# Of a network that sent more only the latest are counted. 0.6 s on two cores with other work to do.
MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Traffic:
    period: str  # a key of SPANS
    timeline: Timeline
    at_least: bool  # there are more rows than were counted

    @property
    def requests(self) -> int:
        return sum(self.timeline.totals)


def traffic_of(network: str, period: str, marks: Iterable[Mark], now: datetime) -> Traffic:
    """One query. `period`: a key of SPANS; anything else is the first."""
    period = period if period in SPANS else FIRST_PERIOD
    rows = RequestLog.objects.by_answer(network, SPANS[period].start(now), most=MOST_ROWS)
    counted = [(hour, status_class(status, refused), times) for hour, status, refused, times in rows]
    at_least = sum(times for *_, times in rows) >= MOST_ROWS
    return Traffic(period, timeline(counted, marks, SPANS[period], now), at_least)
