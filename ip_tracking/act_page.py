"""The page between a button and what it does: to which cases, with what consequences, why, and for how long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from ip_tracking.act_form import GIVEN, ActionForm
from ip_tracking.batch_page import batch_url, keep_refused
from ip_tracking.client import identify
from ip_tracking.models import SuspiciousIP
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor, NotAllowed
from ip_tracking.review.order import Action, NotPossible, Order
from ip_tracking.review.rails import MOST_AT_ONCE, PERMISSIONS, Result, preview
from ip_tracking.review.roles import REVIEW
from ip_tracking.review.stakes import Impact, impact_of
from ip_tracking.visible import visible
from ip_tracking.visit import current

TITLES = {
    Action.ASSIGN: "Assign",
    Action.COMMENT: "Comment on",
    Action.SNOOZE: "Snooze",
    Action.REOPEN: "Reopen",
    Action.JUDGE: "Judge",
    Action.BLOCK: "Block",
    Action.UNBLOCK: "Unblock",
    Action.ALLOW: "Allow-list",
}

# What comes of each, said before it is done.
EFFECTS = {
    Action.ASSIGN: "Whoever it is assigned to finds it under Mine. To give it back, assign it to nobody.",
    Action.COMMENT: "A comment stays on the case and changes nothing. It cannot be taken back.",
    Action.SNOOZE: "A snoozed case leaves the queue, and comes back by itself.",
    Action.REOPEN: "The case is to be reviewed again, its verdict is taken off. What stands against it stays.",
    Action.JUDGE: (
        "A verdict closes the case. What stands against the network stays until it ends or somebody unblocks it. After "
        "benign, false positive and testing detectors leave the network alone for 30 days."
    ),
    Action.BLOCK: "Every request of the network is refused with 403, from the next one on.",
    Action.UNBLOCK: (
        "Ends what stands against the network, or its place on the allow-list. Detectors leave it alone for 24 hours."
    ),
    Action.ALLOW: "Every request of the network passes, and no limit counts it. Allow outranks every block.",
}

# No more digits than a key of the database can have.
ID = re.compile(r"[0-9]{1,18}")
VERSION = re.compile(r"([0-9]{1,18}):([0-9]{1,9})")

Versions = Mapping[int, int | None]


@dataclass(frozen=True, slots=True)
class Row:
    """A case as the page lists it."""

    case: SuspiciousIP
    assignee: str
    impact: Impact | None  # None: unknown


def may_act(request: HttpRequest, action: Action) -> bool:
    permission, _ = PERMISSIONS.get(action, (REVIEW, ""))
    return request.user.has_perm(f"ip_tracking.{permission}")


def act_url(action: Action, ids: str, filters: str = "", **given: str) -> str:
    """`filters`: of the queue that it came from. `given`: what the form begins with."""
    question = {"ids": ids, **given} | ({"_changelist_filters": filters} if filters else {})
    return f"{reverse('admin:ip_tracking_suspiciousip_act', args=[action.value])}?{urlencode(question)}"


def ask(request: HttpRequest, cases: QuerySet[SuspiciousIP], action: Action) -> HttpResponse | None:
    """Sends the browser from the queue to the page for the chosen cases; None where they are too many."""
    ids = list(cases.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    if len(ids) > MOST_AT_ONCE:
        messages.error(request, f"Choose at most {MOST_AT_ONCE} cases at once.")
        return None
    return HttpResponseRedirect(act_url(action, ",".join(map(str, ids)), request.GET.urlencode()))


def act_page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    """Asks for the reason, then acts: `?ids=1,2`. The form carries which version of each case was shown."""
    if name not in set(Action) or not may_act(request, Action(name)):
        raise PermissionDenied
    action, actor, now = Action(name), actor_of(request), datetime.now(UTC)
    posted = request.POST if request.method == "POST" else None
    given = {name: request.GET[name] for name in GIVEN if name in request.GET}
    form = ActionForm(action, actor, posted, initial=given)
    try:
        versions = _asked(request) if posted is None else _shown(posted.get("versions", ""))
        if versions and form.is_valid():
            try:
                return _act(request, versions, form.order, actor, now)
            except NotPossible as error:
                form.add_error(None, str(error))
        plan = preview(action, versions, actor=actor, now=now)
    except NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    return TemplateResponse(request, "ip_tracking/act.html", context | _page(request, form, plan, versions, now))


def _asked(request: HttpRequest) -> Versions:
    """The cases of the address, whatever their version: this is the page that shows it."""
    ids = [int(text) for text in request.GET.get("ids", "").split(",") if ID.fullmatch(text)]
    return dict.fromkeys(ids[:MOST_AT_ONCE])


def _shown(text: str) -> Versions:
    """The cases that the page showed, each with its version then: "12:3,15:1"."""
    found = [match for part in text.split(",") if (match := VERSION.fullmatch(part))]
    return {int(match[1]): int(match[2]) for match in found[:MOST_AT_ONCE]}


def _page(request: HttpRequest, form: ActionForm, plan: Result, versions: Versions, now: datetime) -> dict[str, Any]:
    cases = [*plan.done, *(refused.case for refused in plan.refused)]
    impact = impact_of(cases, now) if cases else {}
    rows = [_row(case, impact) for case in plan.done]
    verb, one = TITLES[form.action], len(cases) == 1
    return {
        "title": f"{verb} {cases[0].network}" if one else f"{verb} {len(cases)} cases",
        "verb": verb,
        "effect": EFFECTS[form.action],
        "form": form,
        "rows": rows,
        "skipped": [(refused.case, visible(refused.why, 300)) for refused in plan.refused],
        "versions": ",".join(f"{case.pk}:{versions[case.pk] or case.version}" for case in cases),
        "users": sum(row.impact.users for row in rows if row.impact),
        "payments": sum(row.impact.payments for row in rows if row.impact),
        "warns": form.action is Action.BLOCK,
        "back": case_url(request, cases[0].pk) if one else queue_url(request),
    }


def _row(case: SuspiciousIP, impact: Mapping[str, Impact]) -> Row:
    assignee = visible(case.assignee.get_username()) if case.assignee else ""
    return Row(case, assignee, impact.get(case.network))


def queue_url(request: HttpRequest) -> str:
    """The queue as it was filtered."""
    filters = request.GET.get("_changelist_filters", "")
    return reverse("admin:ip_tracking_suspiciousip_changelist") + (f"?{filters}" if filters else "")


def case_url(request: HttpRequest, case_id: int) -> str:
    filters = request.GET.get("_changelist_filters", "")
    kept = f"?{urlencode({'_changelist_filters': filters})}" if filters else ""
    return reverse("admin:ip_tracking_suspiciousip_change", args=[case_id]) + kept


def _act(request: HttpRequest, versions: Versions, order: Order, actor: Actor, now: datetime) -> HttpResponse:
    result = apply(order, versions, actor=actor, now=now)
    keep_refused(request, result)
    if len(versions) > 1:
        return HttpResponseRedirect(batch_url(request, result.batch))
    _tell(request, order, result)
    return HttpResponseRedirect(case_url(request, next(iter(versions))))


def _tell(request: HttpRequest, order: Order, result: Result) -> None:
    for refused in result.refused:
        messages.warning(request, f"{refused.case.network} was left as it is. {visible(refused.why, 300)}")
    for case in result.done:
        done = f"Done: {TITLES[order.action].lower()} {case.network}."
        if order.action is Action.COMMENT:
            messages.success(request, done)
        else:
            link = '{} <a href="{}">Undo, within ten minutes</a>'
            messages.success(request, format_html(link, done, batch_url(request, result.batch)))


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
