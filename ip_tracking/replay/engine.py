"""Yesterday's log through today's rules: lines in, findings out. The same symptoms and the same rules as live.

Findings depend on the times that lines bear, never on their order: what is found is found at the end, of all files
together. Only where memory has no room (kept.py) the networks seen least recently are judged earlier. One that comes
back after that begins anew, so that what it did on both sides of that moment is not added up: at most the window of one
rule, and only of a network that some hundred thousand others came after.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ip_tracking.detection import bursts
from ip_tracking.detection.finding import Finding, Rule, Severity, score
from ip_tracking.detection.pages import is_page, is_unled
from ip_tracking.detection.rules import RULES
from ip_tracking.detection.symptoms import symptoms_of
from ip_tracking.event import Event
from ip_tracking.replay import formats
from ip_tracking.replay.formats import Parse
from ip_tracking.replay.found import Found
from ip_tracking.replay.kept import Kept, Network
from ip_tracking.replay.pages import Pages

# As much of a request as a row of the live log keeps. Symptoms are read from the whole of it before.
PATH_CHARS = QUERY_CHARS = 512
AGENT_CHARS = 256
# Enough to see what is wrong with a file.
UNPARSED_SHOWN = 5
# A line's place is one number: the file's, then the line's in it.
LINES = 10**12


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
    parse: Parse = formats.parse
    kept: Kept = field(default_factory=Kept)
    pages: Pages = field(default_factory=Pages)
    lines: int = 0
    parsed: int = 0
    networks_closed: int = 0  # judged before the end, to make room
    unparsed_shown: list[tuple[str, str]] = field(default_factory=list)
    _files: dict[str, int] = field(default_factory=dict)
    _found: Found = field(default_factory=Found)

    @property
    def unparsed(self) -> int:
        return self.lines - self.parsed

    def read(self, lines: Iterable[str], name: str) -> None:
        """Reads one file's lines. Empty ones are no lines."""
        first_place = self._files.setdefault(name, len(self._files)) * LINES
        for number, text in enumerate(lines, start=1):
            if text.isspace():
                continue
            self.lines += 1
            line = self.parse(text)
            if line is None:
                if len(self.unparsed_shown) < UNPARSED_SHOWN:
                    self.unparsed_shown.append((f"{name}:{number}", text.rstrip("\n")))
                continue
            self.parsed += 1
            symptoms, viewed = symptoms_of(line.event, line.referer), is_page(line.event)
            if not symptoms and not viewed:
                continue
            event, place = _cut(line.event), first_place + number
            if symptoms:
                self._keep(event._replace(symptoms=symptoms), place)
            if viewed:
                self.pages.keep(event, f"{place:020d}", unled=is_unled(event, line.referer))

    def suspects(self) -> list[Suspect]:
        """Every network with a finding, the highest score first."""
        for network in self.kept.all():
            self._judge(network)
        # Apart from all else: no rule counts pages with anything.
        self._found.add(map(self._readable, bursts.find(self.pages.crowded(), self.rules)))
        suspects = [Suspect(network, findings) for network, findings in self._found.by_network()]
        return sorted(suspects, key=lambda suspect: (-suspect.score, -suspect.severity.rank, suspect.network))

    def _keep(self, event: Event, place: int) -> None:
        self.kept.add(event, place)
        if self.kept.is_full:
            for network in self.kept.make_room():
                self._judge(network)
                self.networks_closed += 1

    def _judge(self, network: Network) -> None:
        for since_us, events in network.stretches(bursts.widest_window_us(self.rules)):
            self._found.add(map(self._readable, bursts.find(events, self.rules, since_us)))

    def _readable(self, finding: Finding) -> Finding:
        """The evidence with files and line numbers as people write them."""
        names = list(self._files)
        evidence = []
        for event in finding.evidence:
            file, line = divmod(int(event.request_id), LINES)
            evidence.append(event._replace(request_id=f"{names[file]}:{line}"))
        return replace(finding, evidence=tuple(evidence))


def _cut(event: Event) -> Event:
    if len(event.path) <= PATH_CHARS and len(event.query) <= QUERY_CHARS and len(event.user_agent) <= AGENT_CHARS:
        return event
    return event._replace(
        path=event.path[:PATH_CHARS], query=event.query[:QUERY_CHARS], user_agent=event.user_agent[:AGENT_CHARS]
    )
