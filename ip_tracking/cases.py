"""Findings become cases: the only writer of SuspiciousIP, but for what people decide (review)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db import transaction

from ip_tracking import conf
from ip_tracking.client import UNKNOWN, holds_proxy, is_loopback
from ip_tracking.detection.finding import Finding, Severity
from ip_tracking.event import US, Event, to_datetime, to_us
from ip_tracking.gate import decisions
from ip_tracking.models import CaseFinding, Decision, RequestLog, SuspiciousIP
from ip_tracking.record.storage import fit
from ip_tracking.redaction import redact
from ip_tracking.webhook.announce import CaseEvent, announce
from metrics import catalogue, emit

LIVE = "live"

# A case's score is the sum over this long: what was months ago says little about today.
SCORE_DAYS = 7

STAFF_SEEN = timedelta(hours=24)

# The word on the case for what each kind of decision does.
ENFORCEMENT = {"block": SuspiciousIP.Enforcement.BLOCKED, "throttle": SuspiciousIP.Enforcement.THROTTLED}


def file(findings: Iterable[Finding], source: str = LIVE, now: datetime | None = None) -> list[SuspiciousIP]:
    """Files findings under their networks' cases; returns the cases that are new or changed.

    A network with nothing of medium severity or more gets no case of its own. Filing the same findings again changes
    nothing. `source` is "live" or names a log file: from a file nothing is ever enforced.
    """
    now = now or datetime.now(UTC)
    ordered = sorted(findings, key=attrgetter("network", "hour_us", "rule"))
    changed = []
    for network, of_network in groupby(ordered, key=attrgetter("network")):
        if network == UNKNOWN:
            continue
        case = _file_network(network, list(of_network), source, now)
        if case is not None:
            changed.append(case)
    return changed


@transaction.atomic
def _file_network(network: str, findings: list[Finding], source: str, now: datetime) -> SuspiciousIP | None:
    case = SuspiciousIP.objects.select_for_update().filter(network=network).first()
    if case is None:
        if not any(finding.severity.rank >= Severity.MEDIUM.rank for finding in findings):
            return None
        case = _open(network, findings, source)
    grown = [finding for finding in findings if _keep(case, finding, source, now)]
    if not grown:
        return None
    before = (case.triage, case.enforcement, case.enforced_until)
    is_new, was_grave = case.version == 0, _is_grave(case)
    _summarise(case)
    _reopen(case, grown, now)
    if source == LIVE:
        _enforce(case, grown, now)
    if case.version == 0 or before != (case.triage, case.enforcement, case.enforced_until):
        case.version += 1  # what people decide by; not at each request of an attack, or nobody could act during one
    case.save()
    if source == LIVE and _is_grave(case) and not was_grave:
        announce(case, _event(is_new, before[0]), now)
    return case


def _is_grave(case: SuspiciousIP) -> bool:
    """There to review, and of high severity or worse."""
    return case.triage == SuspiciousIP.Triage.OPEN and case.severity_rank >= Severity.HIGH.rank


def _event(is_new: bool, triage_before: str) -> CaseEvent:
    if is_new:
        return CaseEvent.OPENED
    return CaseEvent.WORSENED if triage_before == SuspiciousIP.Triage.OPEN else CaseEvent.REOPENED


def _open(network: str, findings: list[Finding], source: str) -> SuspiciousIP:
    """Two workers may open the same case at once: the second waits for the first's row and takes it."""
    case, _ = SuspiciousIP.objects.select_for_update().get_or_create(
        network=network,
        defaults={
            "severity": Severity.LOW,
            "severity_rank": Severity.LOW.rank,
            "score": 0,
            "top_rule": findings[0].rule,
            "first_seen": to_datetime(findings[0].first_seen_us),
            "last_seen": to_datetime(findings[0].last_seen_us),
            "source": source,
            "version": 0,
        },
    )
    return case


def _keep(case: SuspiciousIP, finding: Finding, source: str, now: datetime) -> bool:
    """Writes a finding or lets its row grow; returns whether it says more than before.

    A worker that read fewer rows may come later: what is known only ever grows, so the order of writers is nothing. A
    newer version of the rule takes an older one's row, whichever came first.
    """
    columns = _columns(finding)
    row, new = CaseFinding.objects.get_or_create(
        case=case, rule=finding.rule, hour=to_datetime(finding.hour_us), defaults=columns
    )
    if new:
        _tell(finding, source, now)
        return True
    if finding.rule_version < row.rule_version:
        return False
    if finding.rule_version == row.rule_version:
        _grow(columns, row)
    if all(getattr(row, name) == value for name, value in columns.items()):
        return False
    for name, value in columns.items():
        setattr(row, name, value)
    row.save()
    return True


def _grow(columns: dict[str, Any], row: CaseFinding) -> None:
    """Adds what the row knows already."""
    if (columns["first_seen"], -len(columns["evidence"])) >= (row.first_seen, -len(row.evidence)):
        columns["evidence"] = row.evidence  # the first offences, as whoever read the most of them froze them
    columns["count"] = max(row.count, columns["count"])
    columns["first_seen"] = min(row.first_seen, columns["first_seen"])
    columns["last_seen"] = max(row.last_seen, columns["last_seen"])


def _tell(finding: Finding, source: str, now: datetime) -> None:
    emit.count(catalogue.FLAGGED, rule=finding.rule, severity=finding.severity.value)
    if source != LIVE:
        return  # a log file's age says nothing of how quick we are
    emit.distribution(catalogue.OFFENCE_TO_FLAG, _seconds_since(finding.first_seen_us, now), rule=finding.rule)
    if finding.crossed_us:
        emit.distribution(catalogue.CROSSING_TO_FLAG, _seconds_since(finding.crossed_us, now), rule=finding.rule)


def _seconds_since(at_us: int, now: datetime) -> float:
    """Not below zero: the store's clock, by which requests are dated, may be ahead of this host's."""
    return max((to_us(now) - at_us) / US, 0.0)


def _columns(finding: Finding) -> dict[str, Any]:
    return {
        "rule_version": finding.rule_version,
        "severity": finding.severity.value,
        "weight": finding.weight,
        "count": finding.count,
        "threshold": finding.threshold,
        "window_s": finding.window_s,
        "first_seen": to_datetime(finding.first_seen_us),
        "last_seen": to_datetime(finding.last_seen_us),
        # A log file's lines were never in a row: what no database stores, or nobody may keep, must go here too.
        "evidence": [_frozen(fit(redact(event))) for event in finding.evidence],
    }


def _frozen(event: Event) -> dict[str, Any]:
    """An event as evidence: enough to judge by when the log is gone, with nothing secret in it."""
    return {
        "at": event.at.isoformat(),
        "request_id": event.request_id,
        "address": event.address,
        "method": event.method,
        "path": event.path,
        "query": event.query,
        "status": event.status,
        "user_agent": event.user_agent,
        "account": event.account,
        "symptoms": event.symptoms,
    }


def _summarise(case: SuspiciousIP) -> None:
    """Derives what the queue shows from the findings of the days that count."""
    rows = list(case.findings.all())
    newest = max(row.last_seen for row in rows)
    counting = [row for row in rows if row.last_seen > newest - timedelta(days=SCORE_DAYS)]
    worst = max(counting, key=lambda row: (Severity(row.severity).rank, row.count / row.threshold))
    case.severity = worst.severity
    case.severity_rank = Severity(worst.severity).rank
    case.score = sum(row.weight for row in counting)
    case.top_rule = worst.rule
    case.first_seen = min(row.first_seen for row in rows)
    case.last_seen = newest


def _reopen(case: SuspiciousIP, grown: list[Finding], now: datetime) -> None:
    """A closed case comes back when there is something new after the verdict, a snoozed one when it got worse.

    What people wrote stays.
    """
    if (
        case.triage == SuspiciousIP.Triage.SNOOZED
        and case.snoozed_score is not None
        and case.score >= case.snoozed_score
    ):
        case.triage = SuspiciousIP.Triage.OPEN
    after_verdict = case.judged_at is None or any(to_datetime(f.last_seen_us) > case.judged_at for f in grown)
    if case.triage == SuspiciousIP.Triage.CLOSED and after_verdict and not _is_cooling_down(case, now):
        case.triage = SuspiciousIP.Triage.OPEN
        case.reopened = True


def _is_cooling_down(case: SuspiciousIP, now: datetime) -> bool:
    """A person said to leave it alone: judged benign, or unblocked."""
    return case.spared_until is not None and now < case.spared_until


def _enforce(case: SuspiciousIP, grown: list[Finding], now: datetime) -> None:
    """Decides as ENFORCE says. A detector never decides against some networks: it says so on the case instead."""
    settings = conf.get()
    if settings.enforce == "cases" or not any(f.decides and f.severity.rank >= Severity.MEDIUM.rank for f in grown):
        return
    case.note = _spared_because(case, now)
    # What stands already is not touched: a detector's hour must not take the place of a person's "for good".
    if case.note or Decision.objects.standing(now).filter(network=case.network).exists():
        return
    until = now + decisions.term(case.network, timedelta(seconds=settings.enforce_for_s), now)
    decisions.decide(
        settings.enforce,
        case.network,
        until=until,
        reason=", ".join(sorted({finding.rule for finding in grown})),
        actor="detector",
        by_person=False,
        now=now,
    )
    case.enforcement = ENFORCEMENT[settings.enforce]
    case.enforced_until = until
    first = min((f for f in grown if f.crossed_us), key=attrgetter("crossed_us"), default=None)
    if first:
        took_s = _seconds_since(first.crossed_us, now)
        transaction.on_commit(lambda: emit.distribution(catalogue.CROSSING_TO_BLOCK, took_s, rule=first.rule))


def _spared_because(case: SuspiciousIP, now: datetime) -> str:
    if is_loopback(case.network):
        return "Not enforced: loopback."
    if holds_proxy(case.network):
        return "Not enforced: a trusted proxy."
    if _is_cooling_down(case, now):
        return "Not enforced: a person said to leave it alone."
    if decisions.is_allowed(case.network, now):
        return "Not enforced: on the allow-list."
    if RequestLog.objects.staff_seen(case.network, now - STAFF_SEEN):
        return "Not enforced: staff was signed in from this network within 24 hours."
    return ""
