"""One UTC hour of the log, as the sweep's questions see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ip_tracking.client import UNKNOWN
from ip_tracking.detection.finding import EVIDENCE_ROWS, Finding, Rule
from ip_tracking.event import HOUR_US, Event, to_datetime, to_us
from ip_tracking.models import RequestLog
from ip_tracking.models.population import PopulationQuerySet
from ip_tracking.record.storage import to_event

# Networks whose evidence is read at once: a campaign can have tens of thousands.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Hour:
    start_us: int

    @property
    def start(self) -> datetime:
        return to_datetime(self.start_us)

    @property
    def end(self) -> datetime:
        return to_datetime(self.start_us + HOUR_US)

    @property
    def rows(self) -> PopulationQuerySet:
        return self.rows_since(self.start)

    def rows_since(self, start: datetime) -> PopulationQuerySet:
        """Rows up to the end of this hour. Whoever has no address is nobody in particular."""
        return RequestLog.population.between(start, self.end).exclude(network=UNKNOWN)

    def window(self, rule: Rule) -> PopulationQuerySet:
        return self.rows_since(self.end - timedelta(seconds=rule.window_s))

    def accuse(self, rule: Rule, counts: Mapping[str, int], telling: PopulationQuerySet) -> list[Finding]:
        """One finding for each of these networks: what the rule counted, and its first rows among the telling ones.

        A network that has none of them is spared.
        """
        networks = sorted(counts)
        return [
            _finding(self.start_us, rule, counts[network], shown, last)
            for place in range(0, len(networks), AT_ONCE)
            for network, shown, last in _evidence(networks[place : place + AT_ONCE], telling)
        ]


def _evidence(networks: list[str], telling: PopulationQuerySet) -> Iterator[tuple[str, list[Event], datetime]]:
    shown: dict[str, list[Event]] = {}
    for row in telling.first_of_each(networks, EVIDENCE_ROWS):
        shown.setdefault(row.network, []).append(to_event(row))
    last = telling.last_of_each(shown)
    yield from ((network, events, last[network]) for network, events in shown.items())


def _finding(hour_us: int, rule: Rule, count: int, shown: list[Event], last: datetime) -> Finding:
    return Finding(
        network=shown[0].network,
        rule=rule.name,
        hour_us=hour_us,
        severity=rule.severity,
        count=count,
        threshold=rule.threshold,
        window_s=rule.window_s,
        first_seen_us=shown[0].at_us,
        last_seen_us=to_us(last),
        evidence=tuple(shown),
        rule_version=rule.version,
        decides=rule.decides,
    )
