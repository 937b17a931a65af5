"""What the API shows of a case and its surroundings. Texts of strangers are data, as stored (redacted)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ip_tracking.detection.table import RULES_BY_NAME
from ip_tracking.models import CaseFinding, Decision, RequestLog, ReviewAction, SuspiciousIP
from ip_tracking.review.case import SCORE_WINDOW
from ip_tracking.review.charts import Bucket, StatusClass
from ip_tracking.review.rails import Result
from ip_tracking.review.record import reason_of
from ip_tracking.review.stakes import Stakes
from ip_tracking.review.traffic import Traffic

MOST_FINDINGS = 50

CASE_FIELDS = (
    "id",
    "version",
    "network",
    "severity",
    "score",
    "top_rule",
    "first_seen",
    "last_seen",
    "triage",
    "assignee",
    "snoozed_until",
    "snoozed_score",
    "verdict",
    "judged_at",
    "enforcement",
    "enforced_until",
    "spared_until",
    "note",
    "source",
    "reopened",
    "created_at",
)


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(source="pk")
    name = serializers.CharField(source="get_username")


class CaseSerializer(serializers.ModelSerializer[SuspiciousIP]):
    """Triage, verdict and enforcement are three things.

    What ended by its time (`snoozed_until` or `enforced_until` in the past) is still named as it was; the tabs `review`
    and `blocked` go by the time.
    """

    assignee = PersonSerializer(allow_null=True, read_only=True)

    class Meta:
        model = SuspiciousIP
        fields: tuple[str, ...] = CASE_FIELDS
        read_only_fields = CASE_FIELDS


class FindingSerializer(serializers.ModelSerializer[CaseFinding]):
    """A rule that was met, in its words of today, and the first requests that met it, frozen then."""

    title = serializers.SerializerMethodField()
    owasp = serializers.SerializerMethodField(help_text="The code of OWASP's handbook, where it has one.")
    reason = serializers.SerializerMethodField()
    counts = serializers.SerializerMethodField(help_text="Towards the score.")
    evidence = serializers.ListField(child=serializers.DictField())

    class Meta:
        model = CaseFinding
        fields = (
            "rule",
            "rule_version",
            "title",
            "owasp",
            "reason",
            "severity",
            "weight",
            "counts",
            "count",
            "threshold",
            "window_s",
            "first_seen",
            "last_seen",
            "evidence",
        )
        read_only_fields = fields

    def get_title(self, finding: CaseFinding) -> str:
        rule = RULES_BY_NAME.get(finding.rule)
        return rule.title if rule else finding.rule

    def get_owasp(self, finding: CaseFinding) -> str:
        rule = RULES_BY_NAME.get(finding.rule)
        return rule.owasp if rule else ""

    def get_reason(self, finding: CaseFinding) -> str:
        rule = RULES_BY_NAME.get(finding.rule)
        return rule.reason if rule else "This rule no longer exists."

    def get_counts(self, finding: CaseFinding) -> bool:
        return finding.last_seen > finding.case.last_seen - SCORE_WINDOW


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    class Meta:
        model = Decision
        fields = ("kind", "network", "until", "reason", "actor", "by_person", "created_at")
        read_only_fields = fields


class StakesSerializer(serializers.Serializer[Stakes]):
    accounts_failed = serializers.IntegerField(help_text="Accounts it failed to log in to in seven days.")
    accounts_logged_in = serializers.IntegerField()
    users = serializers.IntegerField(help_text="Signed-in users of the last 24 hours, whom a block would meet.")
    payments = serializers.IntegerField(help_text="Good payments of the last 24 hours.")
    at_least = serializers.BooleanField(help_text="Only the latest requests were counted: these are the least.")


@dataclass(frozen=True, slots=True)
class WholeCase:
    """A case with why it is one, what stands against it, and whom a block would meet."""

    case: SuspiciousIP
    findings: list[CaseFinding]
    decisions: list[Decision]
    stakes: Stakes | None


class WholeCaseSerializer(serializers.Serializer[WholeCase]):
    case = CaseSerializer()
    findings = FindingSerializer(many=True, help_text=f"The latest {MOST_FINDINGS}.")
    decisions = DecisionSerializer(many=True, help_text="In force on this very network.")
    stakes = StakesSerializer(allow_null=True, help_text="Null: unknown, it came from a log file.")


class EventSerializer(serializers.ModelSerializer[RequestLog]):
    """One request, as the log keeps it: redacted, accounts as keyed hashes."""

    duration_us = serializers.IntegerField(help_text="Microseconds until the response started.")

    class Meta:
        model = RequestLog
        fields = (
            "at",
            "request_id",
            "address",
            "method",
            "path",
            "query",
            "route",
            "kind",
            "status",
            "duration_us",
            "user_agent",
            "user",
            "account",
            "outcome",
            "refused",
            "symptoms",
        )
        read_only_fields = fields


class DeedSerializer(serializers.ModelSerializer[ReviewAction]):
    """What somebody did. `reason` is empty where it was erased."""

    reason = serializers.SerializerMethodField()
    actor = serializers.CharField(source="actor_name")

    class Meta:
        model = ReviewAction
        fields = ("id", "at", "action", "actor", "reason", "batch", "undoes", "via", "before", "after")
        read_only_fields = fields

    def get_reason(self, action: ReviewAction) -> str:
        return reason_of(action)


class BucketSerializer(serializers.Serializer[Bucket]):
    start = serializers.DateTimeField()
    counts = serializers.SerializerMethodField()

    @extend_schema_field(
        {
            "type": "object",
            "properties": {name.value: {"type": "integer"} for name in StatusClass},
            "required": [name.value for name in StatusClass],
        }
    )
    def get_counts(self, bucket: Bucket) -> dict[str, int]:
        return dict(zip((name.value for name in StatusClass), bucket.cells, strict=True))


class TimelineSerializer(serializers.Serializer[Traffic]):
    period = serializers.CharField()
    step_s = serializers.SerializerMethodField(help_text="How long each bucket is, in seconds.")
    at_least = serializers.BooleanField(help_text="Only the latest requests were counted.")
    buckets = BucketSerializer(many=True, source="timeline.buckets")

    def get_step_s(self, traffic: Traffic) -> int:
        return int(traffic.timeline.span.step.total_seconds())


class TouchedSerializer(serializers.Serializer[SuspiciousIP]):
    id = serializers.IntegerField()
    network = serializers.CharField()
    version = serializers.IntegerField(help_text="The version it has now.")


class RefusedSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    network = serializers.CharField(allow_null=True, help_text="Null where there is no such case.")
    why = serializers.CharField()
    stale = serializers.BooleanField(help_text="Somebody changed it since: look at it again.")


class ResultSerializer(serializers.Serializer[Any]):
    """What was done and what was not, case by case; of a dry run what would be."""

    batch = serializers.UUIDField(allow_null=True, help_text="To undo it by; null where nothing was done.")
    dry_run = serializers.BooleanField()
    done = TouchedSerializer(many=True)
    refused = RefusedSerializer(many=True)


class ActedSerializer(serializers.Serializer[Any]):
    """The case as the action left it."""

    batch = serializers.UUIDField(help_text="To undo it by.")
    case = CaseSerializer()


def result_shown(result: Result, *, dry_run: bool = False, unknown: tuple[int, ...] = ()) -> dict[str, Any]:
    refused = [
        {"id": one.case.pk, "network": one.case.network, "why": one.why, "stale": one.stale} for one in result.refused
    ]
    nothing = [{"id": pk, "network": None, "why": "There is no such case.", "stale": False} for pk in unknown]
    shown = {
        "batch": result.batch if result.done and not dry_run else None,
        "dry_run": dry_run,
        "done": result.done,
        "refused": [*refused, *nothing],
    }
    return dict(ResultSerializer(shown).data)
