"""All that the case page shows, gathered in a few queries and made safe to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Case, Count, Sum, When, Window

from ip_tracking.detection.table import RULES_BY_NAME
from ip_tracking.models import CaseFinding, Decision, SuspiciousIP
from ip_tracking.models.decisions import AGAINST
from ip_tracking.review.around import Around, around
from ip_tracking.review.charts import Mark, MarkKind
from ip_tracking.review.past import Entry, Past, past_of
from ip_tracking.review.stakes import Stakes, stakes_of
from ip_tracking.review.traffic import Traffic, traffic_of
from ip_tracking.visible import visible

# What the score counts (cases.SCORE_DAYS), so that the sum shown is the sum made.
SCORE_WINDOW = timedelta(days=7)

FINDINGS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class FindingShown:
    """One finding with its rule's words and its frozen evidence."""

    row: CaseFinding
    rule: str
    title: str
    owasp: str
    reason: str
    counts: bool  # towards the score
    evidence: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Findings:
    shown: list[FindingShown]
    not_shown: int  # findings past FINDINGS_SHOWN
    weight_not_shown: int  # what those add to the score

    @property
    def sum(self) -> list[tuple[str, int]]:
        """What each rule adds to the score, the most first."""
        weights: Counter[str] = Counter()
        for finding in self.shown:
            weights[finding.rule] += finding.row.weight if finding.counts else 0
        return [(rule, weight) for rule, weight in weights.most_common() if weight]


class Ended(NamedTuple):
    """A decision on exactly this network that stands no more."""

    decision: Decision
    served: bool  # its whole term


@dataclass(frozen=True, slots=True)
class Dossier:
    findings: Findings
    in_force: list[Decision]
    ended: list[Ended]
    past: Past
    verdicts: list[Entry]  # but for the one that holds
    stakes: Stakes | None  # None: unknown
    traffic: Traffic
    around: Around


def dossier(case: SuspiciousIP, now: datetime, period: str = "") -> Dossier:
    """Six queries, however much there is. `period`: of the timeline, a key of charts.SPANS."""
    findings, past = _findings(case), past_of(case, now)
    return Dossier(
        findings=findings,
        in_force=[one for one in past.decisions if one.stands(now)],
        ended=[Ended(one, one.was_served(now)) for one in past.decisions if not one.stands(now)],
        past=past,
        verdicts=[one for one in past.verdicts if not (case.verdict and one.at == case.judged_at)],
        stakes=stakes_of(case, now),
        traffic=traffic_of(case.network, period, _marks(case, findings, past), now),
        around=around(case),
    )


def _findings(case: SuspiciousIP) -> Findings:
    """With each row come the sums over all of them."""
    counting = Case(When(last_seen__gt=case.last_seen - SCORE_WINDOW, then="weight"), default=0)
    summed = case.findings.annotate(of=Window(Count("pk")), weighs=Window(Sum(counting)))
    shown = [_shown(row, case) for row in summed[:FINDINGS_SHOWN]]
    if not shown:
        return Findings([], 0, 0)
    of, weighs = shown[0].row.of, shown[0].row.weighs  # type: ignore[attr-defined]  # annotated above
    return Findings(shown, of - len(shown), weighs - sum(one.row.weight for one in shown if one.counts))


def _marks(case: SuspiciousIP, findings: Findings, past: Past) -> Iterable[Mark]:
    """What happened, for the timeline. A person's block is an action and a decision: it is told once."""
    for finding in findings.shown:
        yield Mark(finding.row.first_seen, MarkKind.FLAG, finding.title)
    for one in past.decisions:
        if one.kind in AGAINST and one.network == case.network:
            yield Mark(one.created_at, MarkKind.BLOCK, f"{one.get_kind_display()} by {one.actor}")
    for entry in past.entries:
        if entry.batch and not entry.is_block:
            yield Mark(entry.at, MarkKind.REVIEW, f"{entry.did} by {entry.who}")


def _shown(row: CaseFinding, case: SuspiciousIP) -> FindingShown:
    rule = RULES_BY_NAME.get(row.rule)
    return FindingShown(
        row=row,
        rule=visible(row.rule),
        title=rule.title if rule else visible(row.rule),
        owasp=rule.owasp if rule else "",
        reason=rule.reason if rule else "This rule no longer exists.",
        counts=_counts(row.last_seen, case),
        evidence=[_safe(event) for event in row.evidence],
    )


def _counts(last_seen: datetime, case: SuspiciousIP) -> bool:
    return last_seen > case.last_seen - SCORE_WINDOW


def _safe(event: dict[str, Any]) -> dict[str, Any]:
    shown = {name: visible(value) if isinstance(value, str) else value for name, value in event.items()}
    target = f"{event['path']}?{event['query']}" if event.get("query") else event["path"]
    return shown | {"at": datetime.fromisoformat(event["at"]), "target": visible(target)}
