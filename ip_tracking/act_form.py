"""The form of each action: why, and whatever else it takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib.auth.backends import ModelBackend
from django.utils import timezone

from ip_tracking.models import SuspiciousIP
from ip_tracking.review import roles
from ip_tracking.review.actions import WORSE
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import LONGEST_SNOOZE, REASON_CHARS, WITH_REASON, Action, Order
from ip_tracking.visible import visible

FOR_GOOD = "for good"  # never an empty field: nobody is blocked for good by leaving something out

FOR_HOW_LONG = (
    ("1", "1 hour"),
    ("4", "4 hours"),
    ("24", "24 hours"),
    ("168", "7 days"),
    ("720", "30 days"),
    (FOR_GOOD, "until somebody ends it"),
)

VERDICTS = (
    ("malicious", "Malicious: an attack, or meant as one"),
    ("benign", "Benign: it did what was found, and may"),
    ("false_positive", "False positive: it did not do what was found"),
    ("testing", "Testing: somebody who was asked to attack"),
    ("inconclusive", "Inconclusive: nobody can tell"),
)

# What each asks for besides the reason.
FIELDS = {
    Action.ASSIGN: ("assignee",),
    Action.SNOOZE: ("until", "worse"),
    Action.JUDGE: ("verdict",),
    Action.BLOCK: ("hours", "malicious"),
    Action.ALLOW: ("hours",),
}

# Django's own words repeat whatever was sent.
NOT_OFFERED = {"invalid_choice": "Choose one of these."}

# What a link may fill in. Never the reason: it is whose name stands below it.
GIVEN = ("assignee", "verdict")

# A team, not a directory: whoever is further down the alphabet takes a case from its own page.
REVIEWERS_SHOWN = 200


class UtcField(forms.DateTimeField):
    """A time without a zone is UTC, whatever zone the project shows."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(UTC):
            return super().to_python(value)


class ActionForm(forms.Form):
    """Why, and what the action takes."""

    assignee = forms.ChoiceField(label="Assign to", required=False, error_messages=NOT_OFFERED)
    verdict = forms.ChoiceField(choices=VERDICTS, widget=forms.RadioSelect, error_messages=NOT_OFFERED)
    hours = forms.ChoiceField(label="For how long", initial="24", error_messages=NOT_OFFERED)
    malicious = forms.BooleanField(
        label="Judge it malicious and close the case",
        required=False,
        initial=True,
        help_text="Without it the case stays to be reviewed.",
    )
    until = UtcField(
        label="Until (UTC)",
        required=False,
        help_text=f"Within {LONGEST_SNOOZE.days} days. Left empty, it comes back only when it gets worse.",
    )
    worse = forms.BooleanField(
        label="No longer than until it gets worse",
        required=False,
        initial=True,
        help_text=f"It comes back at once when its score has grown by {WORSE}: one more finding of medium severity.",
    )
    reason = forms.CharField(
        min_length=REASON_CHARS.start, max_length=REASON_CHARS.stop - 1, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, action: Action, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action = action
        for name in set(self.fields) - {*FIELDS.get(action, ()), "reason"}:
            del self.fields[name]
        self._explain_reason()
        if action is Action.ASSIGN:
            self._field("assignee").choices = _assignees(actor)
            self._field("assignee").initial = actor.id  # else it would begin with nobody
        if "hours" in self.fields:
            self._field("hours").choices = _how_long(action, actor)

    def _field(self, name: str) -> forms.ChoiceField:
        return self.fields[name]  # type: ignore[return-value]  # those asked for are

    def _explain_reason(self) -> None:
        reason = self.fields["reason"]
        reason.required = self.action in WITH_REASON
        reason.label = "Comment" if self.action is Action.COMMENT else "Reason"
        length = f"{REASON_CHARS.start} to {REASON_CHARS.stop - 1} characters"
        reason.help_text = (
            f"{length}. Kept with your name and the time, for everybody who sees the case."
            if reason.required
            else f"May be left empty; else {length}."
        )

    @property
    def order(self) -> Order:
        """What was asked for, once the form is valid."""
        given = self.cleaned_data
        hours = given.get("hours", FOR_GOOD)
        return Order(
            self.action,
            given["reason"],
            hours=None if hours == FOR_GOOD else int(hours),
            verdict=SuspiciousIP.Verdict.MALICIOUS if given.get("malicious") else given.get("verdict", ""),
            assignee=given.get("assignee") or None,
            until=given.get("until"),
            worse=given.get("worse", True),
        )


def _how_long(action: Action, actor: Actor) -> list[tuple[str, str]]:
    """What this person may choose: an analyst blocks for a week at most."""
    if action is not Action.BLOCK or actor.may(roles.BLOCK_LONG):
        return list(FOR_HOW_LONG)
    return [one for one in FOR_HOW_LONG if one[0] != FOR_GOOD and int(one[0]) <= roles.SHORT_BLOCK_HOURS]


def _assignees(actor: Actor) -> list[tuple[str, str]]:
    """Whoever acts comes first, then the others who may review; last of all, nobody."""
    users = ModelBackend().with_perm(f"ip_tracking.{roles.REVIEW}").exclude(pk=actor.id)
    by_name = users.order_by(users.model.USERNAME_FIELD)[:REVIEWERS_SHOWN]
    others = [(str(user.pk), visible(user.get_username())) for user in by_name]
    return [(actor.id, f"{visible(actor.name)} (me)"), *others, ("", "nobody: give it back")]
