"""What was found so far, by network: one finding for each rule and hour, from however many pieces it was judged in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ip_tracking.detection.finding import Finding


class Found:
    """Findings, added piece by piece."""

    def __init__(self) -> None:
        self._networks: defaultdict[str, dict[tuple[str, int], Finding]] = defaultdict(dict)

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            of_network = self._networks[finding.network]
            key = (finding.rule, finding.hour_us)
            known = of_network.get(key)
            of_network[key] = _joined(known, finding) if known else finding

    def by_network(self) -> Iterator[tuple[str, tuple[Finding, ...]]]:
        return ((network, tuple(findings.values())) for network, findings in self._networks.items())


def _joined(one: Finding, other: Finding) -> Finding:
    """The evidence is the earlier one's: the first offences."""
    first = min(one, other, key=lambda finding: finding.first_seen_us)
    last_seen_us = max(one.last_seen_us, other.last_seen_us)
    return replace(first, count=max(one.count, other.count), last_seen_us=last_seen_us)
