"""Fields that take what the API's description says. REST framework's own take numbers for texts, keep 1.50 as "1.5",
and measure a text after they took the spaces off its ends, where the description speaks of what is sent.
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
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class OnlySlug(OnlyText, serializers.SlugField):
    pass


# For serializers that make their fields from a model's.
OF_MODELS = serializers.ModelSerializer.serializer_field_mapping | {
    models.CharField: OnlyText,
    models.TextField: OnlyText,
    models.SlugField: OnlySlug,
}
