"""The first review desk: the queue of suspicious networks, each case with its evidence, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.timesince import timeuntil

from ip_tracking import conf
from ip_tracking.act_page import act_page, actor_of, ask, may_act
from ip_tracking.batch_page import batch_page
from ip_tracking.case_page import case_page
from ip_tracking.client_page import client_page
from ip_tracking.gate import switch
from ip_tracking.models import Decision, GateSwitch, ReviewAction, SuspiciousIP
from ip_tracking.review.actions import Action
from ip_tracking.review.record import reason_of

# A severity is told by word and shape, not by colour alone.
SHAPES = {"low": "·", "medium": "○", "high": "▲", "critical": "◆"}


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
    actions = ("block", "unblock", "judge")
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

    @admin.action(description="Block…", permissions=["block"])
    def block(self, request: HttpRequest, cases: QuerySet[SuspiciousIP]) -> HttpResponse | None:
        return ask(request, cases, Action.BLOCK)

    @admin.action(description="Unblock…", permissions=["block"])
    def unblock(self, request: HttpRequest, cases: QuerySet[SuspiciousIP]) -> HttpResponse | None:
        return ask(request, cases, Action.UNBLOCK)

    @admin.action(description="Judge…", permissions=["review"])
    def judge(self, request: HttpRequest, cases: QuerySet[SuspiciousIP]) -> HttpResponse | None:
        return ask(request, cases, Action.JUDGE)

    def has_block_permission(self, request: HttpRequest) -> bool:
        return may_act(request, Action.BLOCK)

    def has_review_permission(self, request: HttpRequest) -> bool:
        return may_act(request, Action.JUDGE)

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
        batch = path(
            "batch/<uuid:batch>/", self.admin_site.admin_view(self.batch_view), name="ip_tracking_suspiciousip_batch"
        )
        return [act, batch, client, *super().get_urls()]

    def client_view(self, request: HttpRequest) -> HttpResponse:
        """Whom the server takes this request for, and how any address stands: `?address=203.0.113.7`."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return client_page(request, {**self.admin_site.each_context(request), "opts": self.opts})

    def act_view(self, request: HttpRequest, action: str) -> HttpResponse:
        return act_page(request, action, {**self.admin_site.each_context(request), "opts": self.opts})

    def batch_view(self, request: HttpRequest, batch: UUID) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        return batch_page(request, batch, actor_of(request), context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The case has its own history, on its page: the admin's log knows nothing of actions."""
        return redirect(reverse("admin:ip_tracking_suspiciousip_change", args=[object_id]) + "#history")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SuspiciousIP]:
        return super().get_queryset(request).select_related("assignee")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        case = context.get("original")
        if isinstance(case, SuspiciousIP):
            context |= {"title": case.network, "subtitle": None, "shape": SHAPES[case.severity]}
            context |= case_page(request, case, self)
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(Decision)
class DecisionAdmin(ReadOnly):
    list_display = ("network", "kind", "until", "reason", "actor", "created_at", "ended_at")
    list_filter = ("kind", "by_person")
    search_fields = ("network",)


@admin.register(ReviewAction)
class ReviewActionAdmin(ReadOnly):
    list_display = ("at", "action", "network", "actor_name", "reason", "via")
    list_filter = ("action", "via")
    list_select_related = ("text",)
    search_fields = ("text__network", "actor_name")
    readonly_fields = ("network", "reason")

    @admin.display(ordering="text__network")
    def network(self, action: ReviewAction) -> str:
        return action.text.network if hasattr(action, "text") else ""

    @admin.display(description="reason")
    def reason(self, action: ReviewAction) -> str:
        return reason_of(action)


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
