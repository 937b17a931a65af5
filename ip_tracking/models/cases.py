"""A suspicious network and the findings that made it so."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv6Address

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from ip_tracking.models.span import span_of

# Nobody calls from here: RFC 6666 discards what is sent to it. A case whose address was erased is named by an address
# of this network, so that whatever reads a case's network, or decides about it, goes on as ever.
ERASED = "100::/64"


def erased_name(number: int) -> str:
    return str(IPv6Address(ERASED.partition("/")[0]) + number)


class SuspiciousIPQuerySet(models.QuerySet["SuspiciousIP"]):
    def overlapping(self, network: str) -> SuspiciousIPQuerySet:
        """Cases within an address or CIDR, or around it; raises ValueError for what is neither."""
        span = span_of(network)
        return self.filter(span_first__lte=span.last, span_last__gte=span.first)

    def closed(self) -> SuspiciousIPQuerySet:
        return self.filter(closed())


class SuspiciousIP(models.Model):
    """The case of one network. Triage, verdict and enforcement are three fields: closing does not unblock."""

    class Triage(models.TextChoices):
        OPEN = "open", "To review"
        SNOOZED = "snoozed", "Snoozed"
        CLOSED = "closed", "Closed"

    class Verdict(models.TextChoices):
        NONE = "", "None yet"
        MALICIOUS = "malicious", "Malicious"
        BENIGN = "benign", "Benign"
        FALSE_POSITIVE = "false_positive", "False positive"
        TESTING = "testing", "Testing"
        INCONCLUSIVE = "inconclusive", "Inconclusive"

    class Enforcement(models.TextChoices):
        NONE = "none", "Not enforced"
        THROTTLED = "throttle", "Throttled"
        BLOCKED = "block", "Blocked"
        ALLOWED = "allow", "Allow-listed"

    class Severity(models.TextChoices):
        LOW = "low", "Low"
        MEDIUM = "medium", "Medium"
        HIGH = "high", "High"
        CRITICAL = "critical", "Critical"

    network = models.CharField(max_length=64, unique=True)
    span_first = models.CharField(max_length=32, editable=False)
    span_last = models.CharField(max_length=32, editable=False)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    severity_rank = models.PositiveSmallIntegerField(editable=False)  # to sort by
    score = models.PositiveIntegerField(help_text="The sum of the weights of the findings of the last seven days.")
    top_rule = models.CharField("why", max_length=64)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    triage = models.CharField(max_length=8, choices=Triage.choices, default=Triage.OPEN)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    snoozed_until = models.DateTimeField(null=True, blank=True, help_text="Empty: until it gets worse.")
    snoozed_score = models.PositiveIntegerField(
        null=True, blank=True, help_text="A score at which it comes back although it is snoozed."
    )
    verdict = models.CharField(max_length=16, choices=Verdict.choices, default=Verdict.NONE, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)
    spared_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Until then detectors leave it alone: a person judged it benign, or unblocked it.",
    )
    enforcement = models.CharField(max_length=16, choices=Enforcement.choices, default=Enforcement.NONE)
    enforced_until = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True, help_text="Why a detector left this network alone.")
    source = models.CharField(max_length=200, default="live", help_text="Live traffic, or the log file it came from.")
    reopened = models.BooleanField(default=False)
    version = models.PositiveIntegerField(
        default=1, help_text="Grows with triage, verdict and enforcement: who decides says which one they saw."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SuspiciousIPQuerySet.as_manager()

    class Meta:
        verbose_name = "suspicious IP"
        verbose_name_plural = "suspicious IPs"
        ordering = ["-severity_rank", "-score", "-last_seen"]
        permissions = [
            ("review_suspiciousip", "Can assign, comment on, snooze and judge cases"),
            ("block_suspiciousip", "Can block for up to seven days, and unblock"),
            ("block_long_suspiciousip", "Can block for longer, or until somebody ends it"),
            ("allow_suspiciousip", "Can put networks on the allow-list"),
            ("bulk_suspiciousip", "Can act on more than a hundred cases at once"),
            ("undo_suspiciousip", "Can undo what others did"),
            ("export_suspiciousip", "Can export cases"),
            ("switch_gate", "Can switch the gate off and on"),
        ]
        indexes = [
            models.Index(fields=["span_first", "span_last"], name="case_span"),
            models.Index(fields=["triage", "-severity_rank", "-score", "-last_seen"], name="case_queue"),
            # The same for tabs that hold a good part of all cases, whatever their triage.
            models.Index(fields=["-severity_rank", "-score", "-last_seen", "-id"], name="case_gravest_first"),
            models.Index(
                fields=["judged_at"], condition=Q(triage="open", judged_at__isnull=False), name="case_came_back"
            ),
        ]

    def __str__(self) -> str:
        return f"erased (case {self.pk})" if self.is_erased else self.network

    def save(self, *args: object, **kwargs: object) -> None:
        self.span_first, self.span_last = span_of(self.network)
        super().save(*args, **kwargs)  # type: ignore[arg-type]  # passed through as they came

    def clean(self) -> None:
        try:
            span_of(self.network)
        except ValueError as error:
            raise ValidationError({"network": str(error)}) from error

    @property
    def is_erased(self) -> bool:
        """Is the address gone, and what it did with it? The findings' rules, counts and times are still true."""
        return self.network == erased_name(self.pk or 0)


# Which cases lie where: conditions, so that one query can count them all.


def to_review(now: datetime) -> Q:
    """Open, or snoozed until a time that has come."""
    return Q(triage=SuspiciousIP.Triage.OPEN) | Q(triage=SuspiciousIP.Triage.SNOOZED, snoozed_until__lte=now)


def snoozed(now: datetime) -> Q:
    return Q(Q(snoozed_until=None) | Q(snoozed_until__gt=now), triage=SuspiciousIP.Triage.SNOOZED)


def blocked(now: datetime) -> Q:
    """Blocked or throttled, now."""
    kept_out = (SuspiciousIP.Enforcement.BLOCKED, SuspiciousIP.Enforcement.THROTTLED)
    return Q(Q(enforced_until=None) | Q(enforced_until__gt=now), enforcement__in=kept_out)


def closed() -> Q:
    return Q(triage=SuspiciousIP.Triage.CLOSED)


class CaseFinding(models.Model):
    """A Finding at rest: one row for each network, rule and UTC hour."""

    case = models.ForeignKey(SuspiciousIP, on_delete=models.CASCADE, related_name="findings")
    rule = models.CharField(max_length=64)
    rule_version = models.PositiveIntegerField()
    hour = models.DateTimeField()
    severity = models.CharField(max_length=8, choices=SuspiciousIP.Severity.choices)
    weight = models.PositiveIntegerField()
    count = models.PositiveIntegerField()
    threshold = models.PositiveIntegerField()
    window_s = models.PositiveIntegerField()
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    evidence = models.JSONField()

    class Meta:
        ordering = ["-last_seen", "rule"]
        constraints = [models.UniqueConstraint(fields=["case", "rule", "hour"], name="finding_once_an_hour")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.count} in {self.window_s} s (limit {self.threshold})"
