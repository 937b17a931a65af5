"""The first review desk: the queue of suspicious networks, each case with its evidence, and what to do about it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.timesince import timeuntil

from ip_tracking import conf
from ip_tracking.client import identify
from ip_tracking.client_page import client_page
from ip_tracking.gate import switch
from ip_tracking.models import Decision, GateSwitch, ReviewAction, SuspiciousIP
from ip_tracking.review.actions import Action, Actor, NotPossible, apply
from ip_tracking.review.case import dossier
from ip_tracking.visit import current

# More at once belong on a page that shows what will happen to each.
MOST_AT_ONCE = 200

FOR_GOOD = "for good"  # never an empty field: nobody is blocked for good by leaving something out

FOR_HOW_LONG = (
    ("1", "1 hour"),
    ("24", "24 hours"),
    ("168", "7 days"),
    ("720", "30 days"),
    (FOR_GOOD, "until somebody ends it"),
)

# No more digits than a key of the database can have.
ID = re.compile(r"[0-9]{1,18}")

# A severity is told by word and shape, not by colour alone.
SHAPES = {"low": "·", "medium": "○", "high": "▲", "critical": "◆"}


class ActionForm(forms.Form):
    """Why, and for a block how long."""

    reason = forms.CharField(
        min_length=5,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with your name and the time.",
    )
    hours = forms.ChoiceField(label="Block for", choices=FOR_HOW_LONG, initial="24")

    def __init__(self, action: Action, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if action is not Action.BLOCK:
            del self.fields["hours"]

    @property
    def hours_chosen(self) -> int | None:
        chosen = self.cleaned_data.get("hours", FOR_GOOD)
        return None if chosen == FOR_GOOD else int(chosen)


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # generic only in the stubs
    """Looked at here, changed only through actions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


@admin.register(SuspiciousIP)
class SuspiciousIPAdmin(ReadOnly):
    list_display = ("network", "how_bad", "score", "why", "seen", "state", "enforced")
    list_filter = ("triage", "severity", "top_rule", "verdict", "enforcement", "source")
    search_fields = ("network",)
    search_help_text = "An address or a CIDR, such as 203.0.113.7 or 203.0.113.0/24"
    show_facets = admin.ShowFacets.ALLOW
    show_full_result_count = False
    list_per_page = 50
    actions = ("block", "unblock", "benign")
    change_form_template = "ip_tracking/case.html"
    change_list_template = "ip_tracking/queue.html"

    @admin.display(description="severity", ordering="severity_rank")
    def how_bad(self, case: SuspiciousIP) -> str:
        return format_html("{} {}", SHAPES[case.severity], case.get_severity_display())

    @admin.display(ordering="top_rule")
    def why(self, case: SuspiciousIP) -> str:
        return case.top_rule

    @admin.display(description="last seen (UTC)", ordering="last_seen")
    def seen(self, case: SuspiciousIP) -> str:
        return f"{case.last_seen:%Y-%m-%d %H:%M}"

    @admin.display(ordering="triage")
    def state(self, case: SuspiciousIP) -> str:
        if case.verdict == SuspiciousIP.Verdict.NONE:
            return case.get_triage_display()
        return f"{case.get_triage_display()}: {case.get_verdict_display().lower()}"

    @admin.display(description="enforcement")
    def enforced(self, case: SuspiciousIP) -> str:
        if case.enforcement == SuspiciousIP.Enforcement.NONE:
            return case.get_enforcement_display()
        if case.enforced_until is None:
            return f"{case.get_enforcement_display()} for good"
        if case.enforced_until <= datetime.now(UTC):
            return f"{case.get_enforcement_display()} (over)"
        return f"{case.get_enforcement_display()}, {timeuntil(case.enforced_until, depth=1)} left"

    @admin.action(description="Block…", permissions=["act"])
    def block(self, request: HttpRequest, cases: QuerySet[SuspiciousIP]) -> HttpResponse | None:
        return self._ask(request, cases, Action.BLOCK)

    @admin.action(description="Unblock…", permissions=["act"])
    def unblock(self, request: HttpRequest, cases: QuerySet[SuspiciousIP]) -> HttpResponse | None:
        return self._ask(request, cases, Action.UNBLOCK)

    @admin.action(description="Judge benign…", permissions=["act"])
    def benign(self, request: HttpRequest, cases: QuerySet[SuspiciousIP]) -> HttpResponse | None:
        return self._ask(request, cases, Action.BENIGN)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("ip_tracking.act_on_suspiciousip")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        try:
            return queryset.overlapping(search_term), False  # type: ignore[attr-defined]  # our own queryset
        except ValueError as error:
            self.message_user(request, f"{error}. Write an address or a CIDR.", messages.ERROR)
            return queryset.none(), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shown = {"title": "Review queue", "subtitle": _guard_down(datetime.now(UTC))}
        return super().changelist_view(request, (extra_context or {}) | shown)

    def get_urls(self) -> list[URLPattern]:
        act = path("act/<str:action>/", self.admin_site.admin_view(self.act_view), name="ip_tracking_suspiciousip_act")
        client = path("client/", self.admin_site.admin_view(self.client_view), name="ip_tracking_suspiciousip_client")
        return [act, client, *super().get_urls()]

    def client_view(self, request: HttpRequest) -> HttpResponse:
        """Whom the server takes this request for, and how any address stands: `?address=203.0.113.7`."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return client_page(request, {**self.admin_site.each_context(request), "opts": self.opts})

    def act_view(self, request: HttpRequest, action: str) -> HttpResponse:
        """Asks for the reason, then acts: `?ids=1,2`."""
        if not self.has_act_permission(request) or action not in set(Action):
            raise PermissionDenied
        wanted = Action(action)
        ids = [int(text) for text in request.GET.get("ids", "").split(",") if ID.fullmatch(text)][:MOST_AT_ONCE]
        cases = SuspiciousIP.objects.filter(pk__in=ids)
        form = ActionForm(wanted, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                return self._act(request, wanted, ids, form)
            except NotPossible as error:
                form.add_error(None, str(error))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{self._title(wanted)} {len(cases)} case{'' if len(cases) == 1 else 's'}",
            "cases": cases,
            "form": form,
            "verb": self._title(wanted),
        }
        return TemplateResponse(request, "ip_tracking/act.html", context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        case = context.get("original")
        if isinstance(case, SuspiciousIP):
            context |= {"dossier": dossier(case, datetime.now(UTC)), "may_act": self.has_act_permission(request)}
        return super().render_change_form(request, context, *args, **kwargs)

    def _ask(self, request: HttpRequest, cases: QuerySet[SuspiciousIP], action: Action) -> HttpResponse | None:
        ids = list(cases.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if len(ids) > MOST_AT_ONCE:
            self.message_user(request, f"Choose at most {MOST_AT_ONCE} cases at once.", messages.ERROR)
            return None
        url = reverse("admin:ip_tracking_suspiciousip_act", args=[action])
        return HttpResponseRedirect(f"{url}?ids={','.join(map(str, ids))}")

    def _act(self, request: HttpRequest, action: Action, ids: list[int], form: ActionForm) -> HttpResponse:
        result = apply(
            action,
            ids,
            actor=_actor(request),
            reason=form.cleaned_data["reason"],
            hours=form.hours_chosen,
            now=datetime.now(UTC),
        )
        for case, why in result.refused:
            self.message_user(request, f"{case.network} was left as it is. {why}", messages.WARNING)
        if result.done:
            names = ", ".join(case.network for case in result.done[:5])
            more = f" and {len(result.done) - 5} more" if len(result.done) > 5 else ""
            self.message_user(request, f"Done: {self._title(action).lower()} {names}{more}.", messages.SUCCESS)
        if len(ids) == 1:
            return HttpResponseRedirect(reverse("admin:ip_tracking_suspiciousip_change", args=ids))
        return HttpResponseRedirect(reverse("admin:ip_tracking_suspiciousip_changelist"))

    @staticmethod
    def _title(action: Action) -> str:
        return {Action.BLOCK: "Block", Action.UNBLOCK: "Unblock", Action.BENIGN: "Judge benign"}[action]


@admin.register(Decision)
class DecisionAdmin(ReadOnly):
    list_display = ("network", "kind", "until", "reason", "actor", "created_at", "ended_at")
    list_filter = ("kind", "by_person")
    search_fields = ("network",)


@admin.register(ReviewAction)
class ReviewActionAdmin(ReadOnly):
    list_display = ("at", "action", "network", "actor_name", "reason", "via")
    list_filter = ("action", "via")
    search_fields = ("network", "actor_name")


@admin.register(GateSwitch)
class GateSwitchAdmin(ReadOnly):
    """For whoever reviews: decisions bind nobody while the gate is switched off."""

    list_display = ("at", "mode", "until", "actor", "reason")
    list_filter = ("mode",)

    def has_view_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return request.user.has_perm("ip_tracking.view_suspiciousip")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


def _guard_down(now: datetime) -> str:
    """Says that the gate does not enforce, "" where it does. From the rows: this process may not have looked yet."""
    held = GateSwitch.objects.held(now)
    return "" if held is None and conf.get().mode == switch.ENFORCE else switch.sentence(held)


def _actor(request: HttpRequest) -> Actor:
    visit = current.get()
    return Actor(
        id=str(request.user.pk),
        name=request.user.get_username(),
        network=identify(request).network,
        request_id=visit.request_id if visit else "",
    )
