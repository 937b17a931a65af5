"""Fields that take texts only. REST framework's own take numbers too, and keep 1.50 as "1.5", of which the API's
description says nothing.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from rest_framework import serializers


class OnlyText(serializers.CharField):
    # `Any` is REST framework's own signature.
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class OnlySlug(OnlyText, serializers.SlugField):
    pass


# For serializers that make their fields from a model's.
OF_MODELS = serializers.ModelSerializer.serializer_field_mapping | {
    models.CharField: OnlyText,
    models.TextField: OnlyText,
    models.SlugField: OnlySlug,
}
