"""What was done at once: it stays to be looked at, and can be undone for ten minutes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from ip_tracking.models import ReviewAction, SuspiciousIP
from ip_tracking.review import undo
from ip_tracking.review.actor import Actor, NotAllowed
from ip_tracking.review.order import NotPossible
from ip_tracking.review.past import entries_of
from ip_tracking.review.rails import Result
from ip_tracking.review.roles import REVIEW
from ip_tracking.visible import visible

# What was not done is in no record: it is told to whoever tried, for as long as they are signed in.
KEPT = "ip_tracking.refused"
BATCHES_KEPT = 5


def batch_url(request: HttpRequest, batch: UUID) -> str:
    filters = request.GET.get("_changelist_filters", "")
    kept = f"?{urlencode({'_changelist_filters': filters})}" if filters else ""
    return reverse("admin:ip_tracking_suspiciousip_batch", args=[batch]) + kept


def keep_refused(request: HttpRequest, result: Result) -> None:
    """Without networks: what a session holds, erasure does not find."""
    told = {str(refused.case.pk): visible(refused.why, 300) for refused in result.refused}
    kept = list(request.session.get(KEPT, {}).items())[1 - BATCHES_KEPT :]
    request.session[KEPT] = {**dict(kept), str(result.batch): told}


def batch_page(request: HttpRequest, batch: UUID, actor: Actor, context: dict[str, Any]) -> HttpResponse:
    """Shows a batch; a POST takes it back. Who may look was asked before."""
    if request.method == "POST":
        return _undo(request, batch, actor)
    now = datetime.now(UTC)
    done = list(ReviewAction.objects.filter(batch=batch).exclude(case_id=None).select_related("text").order_by("id"))
    skipped: dict[str, str] | None = request.session.get(KEPT, {}).get(str(batch))
    if not done and skipped is None:
        raise Http404("There is no such batch.")
    entries = entries_of(done)
    first = entries[0] if entries else None
    shown = {
        "title": f"{first.did} {len(done)} case{'' if len(done) == 1 else 's'}" if first else "Nothing was done",
        "batch": batch,
        "first": first,
        "entries": entries,
        "skipped": _with_networks(skipped or {}),
        "can_undo": undo.can_undo(batch, actor, now),
        "undo_until": first.at + undo.FOR if first else None,
        "undoes": done[0].undoes if done else None,
        "undone_by": ReviewAction.objects.filter(undoes=batch).values_list("batch", flat=True).first(),
        "filters": request.GET.get("_changelist_filters", ""),
    }
    return TemplateResponse(request, "ip_tracking/batch.html", context | shown)


def _with_networks(skipped: dict[str, str]) -> list[tuple[str, str, str]]:
    """Id, network and why of each, the network "" where the case is gone."""
    cases = SuspiciousIP.objects.filter(pk__in=[int(pk) for pk in skipped])
    networks = {str(pk): network for pk, network in cases.values_list("pk", "network")}
    return [(pk, networks.get(pk, ""), why) for pk, why in skipped.items()]


def _undo(request: HttpRequest, batch: UUID, actor: Actor) -> HttpResponse:
    if not actor.may(REVIEW):
        raise PermissionDenied
    try:
        result = undo.undo(batch, actor=actor, now=datetime.now(UTC))
    except NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    except NotPossible as error:
        messages.error(request, f"Nothing was taken back. {error}")
        return HttpResponseRedirect(batch_url(request, batch))
    keep_refused(request, result)
    return HttpResponseRedirect(batch_url(request, result.batch))
