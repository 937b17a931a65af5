"""The page between a button and what it does: to which cases, with what consequences, why, and for how long."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from ip_tracking.client import identify
from ip_tracking.models import SuspiciousIP
from ip_tracking.review.actions import MOST_AT_ONCE, PERMISSIONS, Action, NotPossible, Order, Result, apply
from ip_tracking.review.actor import Actor, NotAllowed
from ip_tracking.review.roles import REVIEW
from ip_tracking.visit import current

FOR_GOOD = "for good"  # never an empty field: nobody is blocked for good by leaving something out

FOR_HOW_LONG = (
    ("1", "1 hour"),
    ("24", "24 hours"),
    ("168", "7 days"),
    ("720", "30 days"),
    (FOR_GOOD, "until somebody ends it"),
)

TITLES = {Action.BLOCK: "Block", Action.UNBLOCK: "Unblock", Action.JUDGE: "Judge"}

# No more digits than a key of the database can have.
ID = re.compile(r"[0-9]{1,18}")

VERDICTS = [choice for choice in SuspiciousIP.Verdict.choices if choice[0]]


class ActionForm(forms.Form):
    """Why, and for a block how long."""

    reason = forms.CharField(
        min_length=5,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with your name and the time.",
    )
    hours = forms.ChoiceField(label="Block for", choices=FOR_HOW_LONG, initial="24")
    verdict = forms.ChoiceField(choices=VERDICTS)

    def __init__(self, action: Action, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action = action
        if action is not Action.BLOCK:
            del self.fields["hours"]
        if action is not Action.JUDGE:
            del self.fields["verdict"]

    @property
    def order(self) -> Order:
        """What was asked for, once the form is valid. Whoever blocks says malicious with it."""
        hours = self.cleaned_data.get("hours", FOR_GOOD)
        return Order(
            self.action,
            self.cleaned_data["reason"],
            hours=None if hours == FOR_GOOD else int(hours),
            verdict=self.cleaned_data.get("verdict", SuspiciousIP.Verdict.MALICIOUS),
        )


def may_act(request: HttpRequest, action: Action) -> bool:
    permission, _ = PERMISSIONS.get(action, (REVIEW, ""))
    return request.user.has_perm(f"ip_tracking.{permission}")


def ask(request: HttpRequest, cases: QuerySet[SuspiciousIP], action: Action) -> HttpResponse | None:
    """Sends the browser to the page for the chosen cases; None where they are too many."""
    ids = list(cases.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    if len(ids) > MOST_AT_ONCE:
        messages.error(request, f"Choose at most {MOST_AT_ONCE} cases at once.")
        return None
    url = reverse("admin:ip_tracking_suspiciousip_act", args=[action])
    return HttpResponseRedirect(f"{url}?ids={','.join(map(str, ids))}")


def act_page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    """Asks for the reason, then acts: `?ids=1,2`."""
    if name not in set(Action) or Action(name) not in TITLES or not may_act(request, Action(name)):
        raise PermissionDenied
    action = Action(name)
    ids = [int(text) for text in request.GET.get("ids", "").split(",") if ID.fullmatch(text)][:MOST_AT_ONCE]
    cases = SuspiciousIP.objects.filter(pk__in=ids)
    form = ActionForm(action, request.POST or None, initial={"verdict": request.GET.get("verdict")})
    if request.method == "POST" and form.is_valid():
        try:
            return _act(request, ids, form.order)
        except NotPossible as error:
            form.add_error(None, str(error))
        except NotAllowed as error:
            raise PermissionDenied(str(error)) from error
    verb = TITLES[action]
    asked = {"cases": cases, "form": form, "verb": verb}
    title = f"{verb} {len(cases)} case{'' if len(cases) == 1 else 's'}"
    return TemplateResponse(request, "ip_tracking/act.html", {**context, **asked, "title": title})


def _act(request: HttpRequest, ids: list[int], order: Order) -> HttpResponse:
    result = apply(order, dict.fromkeys(ids), actor=actor_of(request), now=datetime.now(UTC))
    _tell(request, order, result)
    if len(ids) == 1:
        return HttpResponseRedirect(reverse("admin:ip_tracking_suspiciousip_change", args=ids))
    return HttpResponseRedirect(reverse("admin:ip_tracking_suspiciousip_changelist"))


def _tell(request: HttpRequest, order: Order, result: Result) -> None:
    for refused in result.refused:
        messages.warning(request, f"{refused.case.network} was left as it is. {refused.why}")
    if result.done:
        names = ", ".join(case.network for case in result.done[:5])
        more = f" and {len(result.done) - 5} more" if len(result.done) > 5 else ""
        messages.success(request, f"Done: {TITLES[order.action].lower()} {names}{more}.")


def actor_of(request: HttpRequest, via: str = "admin") -> Actor:
    """Whoever is signed in, with what they may do here."""
    user, visit = request.user, current.get()
    return Actor(
        id=str(user.pk),
        name=user.get_username(),
        network=identify(request).network,
        via=via,
        request_id=visit.request_id if visit else "",
        permissions=frozenset(
            name.removeprefix("ip_tracking.") for name in user.get_all_permissions() if name.startswith("ip_tracking.")
        ),
    )
