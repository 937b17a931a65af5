"""The values of detection: what a rule is, and what it is when one was met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from ip_tracking.event import Event

# Frozen with a finding, so that the reason for a flag outlives the log: the first offences, enough to judge by.
EVIDENCE_ROWS = 10


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


# What one finding adds to its case's score: two mediums weigh as much as one high.
WEIGHT = {Severity.LOW: 5, Severity.MEDIUM: 20, Severity.HIGH: 40, Severity.CRITICAL: 60}


@dataclass(frozen=True, slots=True)
class Rule:
    """How many of a symptom, distinct by what, in how long, make a network suspicious."""

    name: str
    title: str  # what an analyst reads
    owasp: str  # OWASP Automated Threats code, such as "OAT-014"
    severity: Severity
    symptom: str  # the symptom's name, without a signature
    threshold: int  # this many are a finding
    window_s: int
    reason: str  # why this threshold
    example: str
    nearest_benign: str  # the harmless client that comes closest, and why it stays below
    distinct: Literal["", "path", "ending", "page", "folder", "query", "account", "user_agent"] = (
        ""  # "" counts requests
    )
    each: Literal["", "user"] = ""  # count for each of these by itself; not at all where it is unknown
    # A request with this symptom shows that those before it were honest: the count begins anew. What arrives in a later
    # batch than the requests it excuses comes too late for a finding that was filed meanwhile (a second or two; longer
    # only behind a spool), so that such a rule must not decide.
    unless: str = ""
    decides: bool = True  # whether a detector may throttle or block for it, where ENFORCE says so
    version: int = 1
    also: Mapping[str, float] = field(default_factory=dict)  # further limits of a rule of the sweep, by what they limit


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule met by one network in one UTC hour."""

    network: str
    rule: str
    hour_us: int
    severity: Severity
    count: int  # the most that one window ending in this hour held
    threshold: int
    window_s: int
    first_seen_us: int  # the first event of the first window that met the rule
    last_seen_us: int  # the last matching event of the hour that lies in a window that met the rule
    evidence: tuple[Event, ...]  # the first EVIDENCE_ROWS that met the rule; of what it counts as one, the first
    rule_version: int = 1
    decides: bool = True
    crossed_us: int = 0  # the event that completed the first window that met the rule; 0 where no one event did

    @property
    def weight(self) -> int:
        return WEIGHT[self.severity]


def score(findings: list[Finding]) -> int:
    """The case's score: the plain sum of its findings' weights, so that the page can show the sum."""
    return sum(finding.weight for finding in findings)
