from __future__ import annotations

from typing import Any

from rest_framework import serializers

from shop.imports.models import Import, RowError
from shop.imports.reading import DELIMITERS


class OptionsSerializer(serializers.Serializer[dict[str, Any]]):
    """What can be said about a file, in the address or in the form."""

    dry_run = serializers.BooleanField(default=False, help_text="Only say what it would do.")
    delimiter = serializers.ChoiceField(
        list(DELIMITERS),
        required=False,
        help_text="What separates the cells; else what the first line is written with.",
    )


class UploadSerializer(OptionsSerializer):
    """A form. Only the OpenAPI description uses this class."""

    file = serializers.FileField(help_text="CSV, UTF-8.")


class ImportSerializer(serializers.ModelSerializer[Import]):
    rows_created = serializers.IntegerField(source="created", help_text="Of a dry run: that it would create.")
    rows_updated = serializers.IntegerField(source="updated")
    rows_unchanged = serializers.IntegerField(source="unchanged")
    rows_failed = serializers.IntegerField(source="failed", help_text="Not taken; why is listed under `errors/`.")
    errors_count = serializers.IntegerField(source="errors", help_text="One row may have several.")
    progress = serializers.FloatField(min_value=0, max_value=1)
    requested_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True, allow_null=True)
    state = serializers.ChoiceField([value for value in Import.State.values if value != Import.State.RECEIVING])
    failure = serializers.CharField(help_text="Why the whole of it ended early; else empty.")

    class Meta:
        model = Import
        fields = [
            "id",
            "name",
            "size",
            "dry_run",
            "state",
            "failure",
            "cancel_asked",
            "progress",
            "rows_read",
            "rows_created",
            "rows_updated",
            "rows_unchanged",
            "rows_failed",
            "errors_count",
            "requested_by",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields


class RowErrorSerializer(serializers.ModelSerializer[RowError]):
    line = serializers.IntegerField(help_text="Of the file, where the row begins; the first one names the columns.")
    column = serializers.CharField(help_text="Empty: it is the whole row.")
    value = serializers.CharField(help_text="What stands there: shortened, unseen characters spelled out.")
    message = serializers.CharField(help_text="What is wrong, and what would be right.")

    class Meta:
        model = RowError
        fields = ["line", "column", "value", "message"]
        read_only_fields = fields
