"""One UTC hour of the log, as the sweep's questions see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from ip_tracking.client import UNKNOWN
from ip_tracking.detection.finding import EVIDENCE_ROWS, Finding, Rule
from ip_tracking.event import HOUR_US, Event, to_datetime, to_us
from ip_tracking.models import RequestLog
from ip_tracking.models.population import PopulationQuerySet
from ip_tracking.outcomes import LOGIN_FAILED, LOGIN_OK
from ip_tracking.record.storage import to_event

# How far back a network's good login counts: whoever logged in well within a week knows the password.
GOOD_LOGIN = timedelta(days=7)

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

    def accuse(
        self, rule: Rule, counts: Mapping[str, int], telling: PopulationQuerySet, *, but_owners: bool = False
    ) -> list[Finding]:
        """One finding for each of these networks: what the rule counted, and its first rows among the telling ones.

        A network that has none of them is spared. `but_owners`: who mistypes a password is no accomplice of a crowd.
        """
        found = []
        networks = sorted(counts)
        for place in range(0, len(networks), AT_ONCE):
            rows = telling.filter(network__in=networks[place : place + AT_ONCE])
            rows = rows.without("account", self._owners(rows)) if but_owners else rows
            last = rows.last_of_each()
            for network, shown in groupby(rows.first_of_each(EVIDENCE_ROWS), key=attrgetter("network")):
                evidence = tuple(map(to_event, shown))
                found.append(_finding(self.start_us, rule, counts[network], evidence, last[network]))
        return found

    def _owners(self, telling: PopulationQuerySet) -> set[tuple[str, str]]:
        """Networks, with the account they failed on, that logged in to it well within a week: not an accomplice's."""
        # Two plain queries: as a condition on each row this took a hundred times as long where a network is busy.
        failed = set(telling.filter(outcome=LOGIN_FAILED).exclude(account="").pairs("account"))
        if not failed:
            return set()
        networks, accounts = ({pair[place] for pair in failed} for place in (0, 1))
        good = self.rows_since(self.start - GOOD_LOGIN).filter(outcome=LOGIN_OK)
        return failed & set(good.filter(network__in=networks, account__in=accounts).pairs("account"))


def _finding(hour_us: int, rule: Rule, count: int, shown: tuple[Event, ...], last: datetime) -> Finding:
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
        evidence=shown,
        rule_version=rule.version,
        decides=rule.decides,
    )
