"""How many rows a page has, where the caller may say so: a number out of bounds is told, not quietly another one."""

from __future__ import annotations

from collections.abc import Mapping

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError

PAGE_SIZE = "page_size"


def page_size_of(params: Mapping[str, str], usual: int, most: int) -> int:
    """Returns what is asked for, else `usual`. Raises ValidationError."""
    text = params.get(PAGE_SIZE, "")
    if not text:
        return usual
    if not (is_number(text) and int(text) <= most):
        raise ValidationError({PAGE_SIZE: [f"Write a number from 1 to {most}."]})
    return int(text)


def is_number(text: str) -> bool:
    """Is this a number from 1 on, of a size that anybody means?"""
    return text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0


def described(usual: int, most: int) -> OpenApiParameter:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": usual}
    return OpenApiParameter(PAGE_SIZE, schema, description="Rows of a page.")
