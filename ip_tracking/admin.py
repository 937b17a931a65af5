"""The first review desk: the queue of suspicious networks, each case with its evidence, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from ip_tracking.act_page import act_page, ask, may_act
from ip_tracking.client_page import client_page
from ip_tracking.models import Decision, GateSwitch, ReviewAction, SuspiciousIP
from ip_tracking.queue_page import QueueList, keys_of
from ip_tracking.review import search
from ip_tracking.review.actions import Action
from ip_tracking.review.case import dossier
from ip_tracking.review.record import reason_of
from ip_tracking.switch_page import switch_page


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
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 50
    actions = ("block", "unblock", "judge")
    change_form_template = "ip_tracking/case.html"
    change_list_template = "ip_tracking/queue.html"

    # The queue

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[QueueList]:
        return QueueList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shown = {"title": "Review queue", "keys": keys_of(request), "search_help": search.HELP}
        return super().changelist_view(request, (extra_context or {}) | shown)

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

    # Pages of their own

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
        return act_page(request, action, {**self.admin_site.each_context(request), "opts": self.opts})

    # The case

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        case = context.get("original")
        if isinstance(case, SuspiciousIP):
            context |= {
                "dossier": dossier(case, datetime.now(UTC)),
                "may_block": self.has_block_permission(request),
                "may_review": self.has_review_permission(request),
            }
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

    change_list_template = "ip_tracking/switches.html"

    def get_urls(self) -> list[URLPattern]:
        turn = path("turn/", self.admin_site.admin_view(self.turn_view), name="ip_tracking_gateswitch_turn")
        return [turn, *super().get_urls()]

    def turn_view(self, request: HttpRequest) -> HttpResponse:
        return switch_page(request, {**self.admin_site.each_context(request), "opts": self.opts})

    def has_view_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return request.user.has_perm("ip_tracking.view_suspiciousip")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
