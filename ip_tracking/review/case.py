"""All that the case page shows, gathered in a few queries and made safe to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ip_tracking.detection.table import RULES_BY_NAME
from ip_tracking.models import CaseFinding, Decision, ReviewAction, SuspiciousIP
from ip_tracking.review.stakes import Stakes, stakes_of
from ip_tracking.visible import visible

# What the score counts (cases.SCORE_DAYS), so that the sum shown is the sum made.
SCORE_WINDOW = timedelta(days=7)

FINDINGS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class FindingShown:
    """One finding with its rule's words and its frozen evidence."""

    row: CaseFinding
    title: str
    owasp: str
    reason: str
    counts: bool  # towards the score
    evidence: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Dossier:
    findings: list[FindingShown]
    not_shown: int  # findings past FINDINGS_SHOWN
    weight_not_shown: int  # what those add to the score
    decisions: list[Decision]
    history: list[ReviewAction]
    stakes: Stakes | None  # None: unknown


def dossier(case: SuspiciousIP, now: datetime) -> Dossier:
    hidden = list(case.findings.values_list("weight", "last_seen")[FINDINGS_SHOWN:])
    return Dossier(
        findings=[_shown(row, case) for row in case.findings.all()[:FINDINGS_SHOWN]],
        not_shown=len(hidden),
        weight_not_shown=sum(weight for weight, last_seen in hidden if _counts(last_seen, case)),
        decisions=list(Decision.objects.standing(now).filter(network=case.network)),
        history=list(ReviewAction.objects.filter(case_id=case.pk).select_related("text")[:FINDINGS_SHOWN]),
        stakes=stakes_of(case, now),
    )


def _shown(row: CaseFinding, case: SuspiciousIP) -> FindingShown:
    rule = RULES_BY_NAME.get(row.rule)
    return FindingShown(
        row=row,
        title=rule.title if rule else row.rule,
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
