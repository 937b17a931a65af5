"""The first review desk: the queue of suspicious networks, each case with its evidence, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from ip_tracking.act_page import act_page, actor_of, ask, may_act
from ip_tracking.batch_page import batch_page
from ip_tracking.case_page import case_page
from ip_tracking.client_page import client_page
from ip_tracking.models import Decision, GateSwitch, ReviewAction, SuspiciousIP
from ip_tracking.queue_page import Counted, QueueList, keys_of
from ip_tracking.review import search
from ip_tracking.review.order import Action
from ip_tracking.review.record import reason_of
from ip_tracking.switch_page import switch_page
from ip_tracking.visible import visible


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # generic only in the stubs
    """Looked at here, changed only through actions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


def _asking(action: Action, title: str, permission: str) -> Callable[..., HttpResponse | None]:
    """An entry of the queue's menu: nothing is done before the page that it leads to was answered."""

    @admin.action(description=title, permissions=[permission])
    def ask_about(desk: object, request: HttpRequest, cases: QuerySet[SuspiciousIP]) -> HttpResponse | None:
        return ask(request, cases, action)

    ask_about.__name__ = action.value
    return ask_about


@admin.register(SuspiciousIP)
class SuspiciousIPAdmin(ReadOnly):
    show_full_result_count = False
    list_per_page = 50
    paginator = Counted
    list_max_show_all = 50
    actions = (
        _asking(Action.BLOCK, "Block…", "block"),
        _asking(Action.UNBLOCK, "Unblock…", "block"),
        _asking(Action.ALLOW, "Allow-list…", "allow"),
        _asking(Action.JUDGE, "Judge…", "review"),
        _asking(Action.ASSIGN, "Assign…", "review"),
        _asking(Action.SNOOZE, "Snooze…", "review"),
        _asking(Action.COMMENT, "Comment…", "review"),
        _asking(Action.REOPEN, "Reopen…", "review"),
    )
    change_form_template = "ip_tracking/case.html"
    change_list_template = "ip_tracking/queue.html"

    # The queue

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[QueueList]:
        return QueueList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shown = {"title": "Review queue", "keys": keys_of(request), "search_help": search.HELP}
        return super().changelist_view(request, (extra_context or {}) | shown)

    def has_review_permission(self, request: HttpRequest) -> bool:
        return may_act(request, Action.JUDGE)

    def has_block_permission(self, request: HttpRequest) -> bool:
        return may_act(request, Action.BLOCK)

    def has_allow_permission(self, request: HttpRequest) -> bool:
        return may_act(request, Action.ALLOW)

    # Pages of their own

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

    # The case

    def get_queryset(self, request: HttpRequest) -> QuerySet[SuspiciousIP]:
        return super().get_queryset(request).select_related("assignee")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        case = context.get("original")
        if isinstance(case, SuspiciousIP):
            context |= {"title": case.network, "subtitle": None} | case_page(request, case, self)
        return super().render_change_form(request, context, *args, **kwargs)


class Record(ReadOnly):
    """Rows whose pages show what the list shows, and `more`."""

    change_form_template = "ip_tracking/read_only.html"
    more: tuple[str, ...] = ()

    def get_fields(self, request: HttpRequest, obj: object | None = None) -> Any:
        return (*self.list_display, *self.more)

    def get_readonly_fields(self, request: HttpRequest, obj: object | None = None) -> Any:
        return self.get_fields(request, obj)


def _visible(name: str) -> Callable[[object], str]:
    """A column of what anybody wrote."""

    @admin.display(description=name.replace("_", " "), ordering=name)
    def shown(row: object) -> str:
        return visible(getattr(row, name), 500)

    return shown


@admin.register(Decision)
class DecisionAdmin(Record):
    list_display = ("network", "kind", "until", _visible("reason"), _visible("actor"), "created_at", "ended_at")
    list_filter = ("kind", "by_person")
    search_fields = ("network",)


@admin.register(ReviewAction)
class ReviewActionAdmin(Record):
    list_display = ("at", "action", "network", _visible("actor_name"), "reason", "via")
    list_filter = ("action", "via")
    list_select_related = ("text",)
    search_fields = ("text__network", "actor_name")
    more = ("case_id", "batch", "undoes", "before", "after", "request_id")

    @admin.display(ordering="text__network")
    def network(self, action: ReviewAction) -> str:
        return action.text.network if hasattr(action, "text") else ""

    @admin.display(description="reason")
    def reason(self, action: ReviewAction) -> str:
        return visible(reason_of(action), 500) if hasattr(action, "text") else "erased"


@admin.register(GateSwitch)
class GateSwitchAdmin(Record):
    """For whoever reviews: decisions bind nobody while the gate is switched off."""

    list_display = ("at", "mode", "until", _visible("actor"), _visible("reason"))
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
