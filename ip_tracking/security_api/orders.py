"""What may be asked to be done: one body for each action, read into the same Order that the pages make."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ip_tracking.models import SuspiciousIP
from ip_tracking.review.order import LONGEST_HOURS, LONGEST_SNOOZE, REASON_CHARS, Action, Order
from ip_tracking.review.rails import MOST_AT_ONCE
from ip_tracking.security_api.filters import ME

VERDICTS = [choice for choice in SuspiciousIP.Verdict.choices if choice[0]]

LARGEST_ID = 2**63 - 1


class TrueOrFalse(serializers.BooleanField):
    """REST framework's own takes 0, "off" and more for false: too much to guess where something is done by it."""

    # `Any` is REST framework's own signature.
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class OnlyText(serializers.CharField):
    """REST framework's own takes a number for its digits, which the description does not say."""

    # `Any` is REST framework's own signature.
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class OrderSerializer(serializers.Serializer[Order]):
    """What every action takes. Which reasons are enough the review desk says, here as on its pages."""

    reason = OnlyText(
        required=False,
        allow_blank=True,
        default="",
        help_text=f"{REASON_CHARS.start} to {REASON_CHARS.stop - 1} characters, kept with your name.",
    )

    def order(self, action: Action, user_id: Any) -> Order:
        given = {name: self.validated_data[name] for name in ORDER_FIELDS if name in self.validated_data}
        if given.get("assignee") == ME:
            given["assignee"] = str(user_id)
        return Order(action, **given)


ORDER_FIELDS = ("reason", "hours", "verdict", "assignee", "until", "worse")


def _reason() -> OnlyText:
    return OnlyText(help_text=f"{REASON_CHARS.start} to {REASON_CHARS.stop - 1} characters.")


# Never left out: nobody is blocked for good by forgetting a field.
def _hours(**how: Any) -> serializers.IntegerField:
    return serializers.IntegerField(
        allow_null=True, help_text=f"1 to {LONGEST_HOURS}; null: until somebody ends it.", **how
    )


def _assignee(**how: Any) -> OnlyText:
    return OnlyText(
        allow_null=True, max_length=64, help_text=f"A user's id, or `{ME}`; null gives the case back.", **how
    )


def _until() -> serializers.DateTimeField:
    return serializers.DateTimeField(
        required=False, allow_null=True, help_text=f"Within {LONGEST_SNOOZE.days} days; null: until it gets worse."
    )


def _worse() -> TrueOrFalse:
    return TrueOrFalse(required=False, default=True, help_text="And no longer than until it gets worse.")


class AssignSerializer(OrderSerializer):
    assignee = _assignee()


class CommentSerializer(OrderSerializer):
    reason = _reason()


class SnoozeSerializer(OrderSerializer):
    until = _until()
    worse = _worse()


class ReopenSerializer(OrderSerializer):
    pass


class JudgeSerializer(OrderSerializer):
    reason = _reason()
    verdict = serializers.ChoiceField(VERDICTS)


class BlockSerializer(OrderSerializer):
    reason = _reason()
    hours = _hours()
    verdict = serializers.ChoiceField(
        VERDICTS, required=False, help_text="Only `malicious`, which closes the case too; left out, it stays to review."
    )


class UnblockSerializer(OrderSerializer):
    reason = _reason()


class AllowSerializer(OrderSerializer):
    reason = _reason()
    hours = _hours()


BODIES: dict[Action, type[OrderSerializer]] = {
    Action.ASSIGN: AssignSerializer,
    Action.COMMENT: CommentSerializer,
    Action.SNOOZE: SnoozeSerializer,
    Action.REOPEN: ReopenSerializer,
    Action.JUDGE: JudgeSerializer,
    Action.BLOCK: BlockSerializer,
    Action.UNBLOCK: UnblockSerializer,
    Action.ALLOW: AllowSerializer,
}


class ChosenSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
    version = serializers.IntegerField(
        min_value=0, max_value=LARGEST_ID, allow_null=True, help_text="That you saw; null: whatever it is by now."
    )


class BulkSerializer(serializers.Serializer[Any]):
    """One action on several cases, with every field that some action takes: its own body says which it needs."""

    action = serializers.ChoiceField([action.value for action in Action])
    cases: Any = serializers.ListSerializer(child=ChosenSerializer(), allow_empty=False, max_length=MOST_AT_ONCE)
    dry_run = TrueOrFalse(required=False, default=False, help_text="Only tell what would be done.")
    reason = OnlyText(required=False, allow_blank=True)
    hours = _hours(required=False)
    verdict = serializers.ChoiceField(VERDICTS, required=False)
    assignee = _assignee(required=False)
    until = _until()
    worse = _worse()

    def validate_cases(self, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({case["id"] for case in cases}) < len(cases):
            raise serializers.ValidationError("Name each case once.")
        return cases
