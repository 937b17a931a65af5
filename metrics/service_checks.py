"""The states that Datadog shows as up, late or down, from the same probes as `/readyz`. One task sends them: a state is
not added up, so of several senders the last would win.
"""

from __future__ import annotations

from metrics import emit
from metrics.catalogue import BROKER_CONNECTS, CELERY_WORKS, DATABASE_CONNECTS, REDIS_CONNECTS
from metrics.probes import BROKER, DATABASE, REDIS
from metrics.readiness import Finding, readiness

STATUS = {"ok": emit.OK, "slow": emit.WARNING, "failed": emit.CRITICAL}
# A free worker takes a message within milliseconds; behind this, others wait too.
LATE_S = 10.0


def send(waited_s: float) -> None:
    """`waited_s`: how long the task that calls this waited for a worker."""
    report = readiness.ask()
    for part, check in ((DATABASE, DATABASE_CONNECTS), (BROKER, BROKER_CONNECTS)):
        worst = report.of(part)
        if worst is not None:
            emit.check(check, STATUS[worst.state], said(worst))
    for finding in report.findings:
        if finding.probe.part is REDIS:
            emit.check(REDIS_CONNECTS, STATUS[finding.state], said(finding), **dict(finding.probe.tags))
    is_late = waited_s > LATE_S
    emit.check(CELERY_WORKS, emit.WARNING if is_late else emit.OK, f"waited {waited_s:.1f} s for a worker")


def said(finding: Finding) -> str:
    """No address and no exception's text: the message is shown to whoever sees the check."""
    return f"{finding.state}: {finding.took_ms} ms{f' ({finding.why})' if finding.why else ''}"
