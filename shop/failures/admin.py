from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from shop.failures import again
from shop.failures.models import FailedTask
from shop.private import owner

if TYPE_CHECKING:
    FailedTaskBase = admin.ModelAdmin[FailedTask]
else:
    FailedTaskBase = admin.ModelAdmin


@admin.register(FailedTask)
class FailedTaskAdmin(FailedTaskBase):
    list_display = ("failed_at", "name", "error", "retries", "can_run_again", "run_again_at", "run_again_by")
    list_filter = ("name", "failed_at")
    list_select_related = ("run_again_by",)
    fields = (
        *("name", "task_id", "arguments", "error", "retries", "failed_at"),
        *("can_run_again", "run_again_at", "run_again_by", "traceback"),
    )
    readonly_fields = ("can_run_again",)
    actions = ["run_again"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: FailedTask | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: FailedTask | None = None) -> bool:
        return False

    def has_run_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("failures.run_failedtask")

    @admin.display(description="may run again", boolean=True)
    def can_run_again(self, failed: FailedTask) -> bool:
        return failed.call is not None

    @admin.action(description="Run again", permissions=["run"])
    def run_again(self, request: HttpRequest, tasks: QuerySet[FailedTask]) -> None:
        ran = 0
        for failed in tasks.order_by("pk"):
            try:
                again.run_again(failed, owner(request), timezone.now())
            except again.NotSafe:
                messages.warning(request, f"{failed.name} cannot be run again: what was sent to it is not kept.")
            except again.DoneBefore:
                messages.warning(request, f"{failed.name} was run again before.")
            except again.BrokerAway:
                messages.error(request, f"{failed.name} was not run: the broker is away.")
            else:
                ran += 1
        messages.success(request, f"Ran {ran} tasks again.")
