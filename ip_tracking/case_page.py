"""The case page: its dossier, what this person may do about it, and its place in the queue they came from."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from ip_tracking.act_page import act_url, case_url, may_act, queue_url
from ip_tracking.models import SuspiciousIP
from ip_tracking.review.beside import Beside, beside
from ip_tracking.review.case import Dossier, dossier
from ip_tracking.review.charts import SPANS
from ip_tracking.review.order import Action
from ip_tracking.review.roles import VIEW_AUDIT
from ip_tracking.review.rows import SHAPES


class Uncounted(Paginator):  # type: ignore[type-arg]  # generic only in the stubs
    """The list counts its rows to cut a page of them; here their order is enough."""

    count = sys.maxsize


@dataclass(frozen=True, slots=True)
class Button:
    title: str
    url: str


def case_page(request: HttpRequest, case: SuspiciousIP, desk: ModelAdmin[SuspiciousIP]) -> dict[str, Any]:
    """What the template needs besides the admin's own."""
    shown = dossier(case, datetime.now(UTC), request.GET.get("period", ""))
    place = _place(request, case, desk)
    return {
        "shape": SHAPES[case.severity],
        "dossier": shown,
        "buttons": list(_buttons(request, case, shown)),
        "periods": [(name, span.title) for name, span in SPANS.items()],
        "filters": request.GET.get("_changelist_filters", ""),
        "queue_url": queue_url(request),
        "previous": case_url(request, place.previous) if place.previous else "",
        "following": case_url(request, place.following) if place.following else "",
        "may_audit": request.user.has_perm(f"ip_tracking.{VIEW_AUDIT}"),
    }


def _buttons(request: HttpRequest, case: SuspiciousIP, shown: Dossier) -> Iterable[Button]:
    """What there is to do, as far as this person may; each leads to the page that asks."""
    filters = request.GET.get("_changelist_filters", "")
    for action, title, given in _sensible(case, str(request.user.pk), shown):
        if may_act(request, action):
            yield Button(title, act_url(action, str(case.pk), filters, **given))


def _sensible(case: SuspiciousIP, me: str, shown: Dossier) -> Iterable[tuple[Action, str, dict[str, str]]]:
    if str(case.assignee_id) == me:
        yield Action.ASSIGN, "Give back…", {"assignee": ""}
    else:
        yield Action.ASSIGN, "Assign to me…", {"assignee": me}
    yield Action.COMMENT, "Comment…", {}
    if case.triage != SuspiciousIP.Triage.CLOSED:
        yield Action.SNOOZE, "Snooze…", {}
    yield Action.JUDGE, "Judge…", {}
    if case.triage != SuspiciousIP.Triage.OPEN or case.verdict:
        yield Action.REOPEN, "Reopen…", {}
    yield Action.BLOCK, "Block…", {}
    if any(decision.network == case.network for decision in shown.in_force):
        yield Action.UNBLOCK, "Unblock…", {}
    yield Action.ALLOW, "Allow-list…", {}


def _place(request: HttpRequest, case: SuspiciousIP, desk: ModelAdmin[SuspiciousIP]) -> Beside:
    queue = _queue(request, desk)
    return Beside() if queue is None else beside(queue, case)


def _queue(request: HttpRequest, desk: ModelAdmin[SuspiciousIP]) -> QuerySet[SuspiciousIP] | None:
    """The queue as the list page makes it of the filters that this page was opened with; None where they are wrong."""
    listing, listed = copy.copy(desk), copy.copy(request)
    listing.paginator = Uncounted  # type: ignore[misc]  # of this copy only
    listed.GET = QueryDict(request.GET.get("_changelist_filters", ""))
    try:
        queue: QuerySet[SuspiciousIP] = listing.get_changelist_instance(listed).queryset
    except IncorrectLookupParameters:
        return None
    return queue
