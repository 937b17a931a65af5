from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from shop.imports.models import Import

if TYPE_CHECKING:
    ImportBase = admin.ModelAdmin[Import]
else:
    ImportBase = admin.ModelAdmin

COUNTS = ("rows_read", "created", "updated", "unchanged", "failed")
FIRST_ERRORS = 50


# Read-only: an import is begun and cancelled by the API, where its file comes from.
@admin.register(Import)
class ImportAdmin(ImportBase):
    list_display = ("created_at", "name", "requested_by", "state", "dry_run", "progress", *COUNTS)
    list_filter = ("state", "dry_run")
    list_select_related = ("requested_by",)
    fields = (
        *("id", "name", "size", "requested_by", "dry_run", "state", "failure", "progress", *COUNTS, "errors"),
        *("created_at", "started_at", "finished_at", "first_errors"),
    )
    readonly_fields = ("progress", "first_errors")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Import]:
        return super().get_queryset(request).exclude(state=Import.State.RECEIVING)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return False

    @admin.display(description=f"the first {FIRST_ERRORS} errors")
    def first_errors(self, row: Import) -> str:
        errors = row.row_errors.all()[:FIRST_ERRORS]
        return "\n".join(
            f"line {error.line}, {error.column or 'row'}: {error.value} {error.message}" for error in errors
        )
