"""Yesterday's log through today's rules: lines in, findings out. The same symptoms and the same rules as live.

Memory holds what showed a symptom and is within the cap, and views that may be part of a crawl; never the lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from ip_tracking.detection import bursts
from ip_tracking.detection.bursts import READ_BACK
from ip_tracking.detection.finding import Finding, Rule, Severity, score
from ip_tracking.detection.pages import is_page
from ip_tracking.detection.rules import RULES
from ip_tracking.detection.symptoms import symptoms_of
from ip_tracking.event import Event, floor_hour
from ip_tracking.replay.access_log import parse
from ip_tracking.replay.pages import Pages

# As much of a request as a row of the live log keeps. Symptoms are read from the whole of it before.
PATH_CHARS = QUERY_CHARS = 512
AGENT_CHARS = 256
# Enough to see what is wrong with a file.
UNPARSED_SHOWN = 5
# Wide enough that a file's line numbers sort as text: events of one second keep the file's order.
LINE_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Suspect:
    """One network and all that was found against it."""

    network: str
    findings: tuple[Finding, ...]

    @property
    def severity(self) -> Severity:
        return max((finding.severity for finding in self.findings), key=lambda severity: severity.rank)

    @property
    def score(self) -> int:
        return score(list(self.findings))

    @property
    def is_flagged(self) -> bool:
        return self.severity.rank >= Severity.MEDIUM.rank


@dataclass(slots=True)
class Replay:
    """What was read so far. Feed it files, then ask for the suspects."""

    rules: Sequence[Rule] = RULES
    lines: int = 0
    parsed: int = 0
    unparsed_shown: list[tuple[str, str]] = field(default_factory=list)
    _pages: Pages = field(default_factory=Pages)
    _kept: defaultdict[tuple[str, int], list[Event]] = field(default_factory=lambda: defaultdict(list))

    @property
    def unparsed(self) -> int:
        return self.lines - self.parsed

    def read(self, lines: Iterable[str], name: str) -> None:
        """Reads one file's lines. Empty ones are no lines."""
        for number, text in enumerate(lines, start=1):
            if text.isspace():
                continue
            self.lines += 1
            line = parse(text)
            if line is None:
                if len(self.unparsed_shown) < UNPARSED_SHOWN:
                    self.unparsed_shown.append((f"{name}:{number}", text.rstrip("\n")))
                continue
            self.parsed += 1
            symptoms, viewed = symptoms_of(line.event, line.referer), is_page(line.event)
            if not symptoms and not viewed:
                continue
            event, request_id = _cut(line.event), f"{name}:{number:0{LINE_DIGITS}d}"
            if symptoms:
                self._keep(event._replace(request_id=request_id, symptoms=symptoms))
            if viewed:
                self._pages.keep(event, request_id)

    def suspects(self) -> list[Suspect]:
        """Every network with a finding, the highest score first."""
        kept = (event for events in self._kept.values() for event in bursts.earliest(events))
        by_network: defaultdict[str, list[Finding]] = defaultdict(list)
        for finding in bursts.find(chain(kept, self._pages.crowded()), self.rules):
            by_network[finding.network].append(_readable(finding))
        suspects = [Suspect(network, tuple(findings)) for network, findings in by_network.items()]
        return sorted(suspects, key=lambda suspect: (-suspect.score, -suspect.severity.rank, suspect.network))

    def _keep(self, event: Event) -> None:
        kept = self._kept[event.network, floor_hour(event.at_us)]
        kept.append(event)
        if len(kept) >= 4 * READ_BACK:  # twice what the cap can leave, so that a long hour is sorted now and then only
            kept[:] = bursts.earliest(kept)


def _cut(event: Event) -> Event:
    if len(event.path) <= PATH_CHARS and len(event.query) <= QUERY_CHARS and len(event.user_agent) <= AGENT_CHARS:
        return event
    return event._replace(
        path=event.path[:PATH_CHARS], query=event.query[:QUERY_CHARS], user_agent=event.user_agent[:AGENT_CHARS]
    )


def _readable(finding: Finding) -> Finding:
    """The evidence with line numbers as people write them."""
    evidence = tuple(event._replace(request_id=_unpadded(event.request_id)) for event in finding.evidence)
    return Finding(
        **{name: getattr(finding, name) for name in Finding.__slots__ if name != "evidence"}, evidence=evidence
    )


def _unpadded(request_id: str) -> str:
    name, _, number = request_id.rpartition(":")
    return f"{name}:{int(number)}"
