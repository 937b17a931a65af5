"""`{% load desk %}`: times and anybody's text, as the pages of the review desk show them."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil

from ip_tracking.visible import visible

register = template.Library()


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """A time for people and for programs, in UTC whatever zone the project shows."""
    if at is None:
        return ""
    utc = at.astimezone(UTC)
    return format_html('<time datetime="{}">{} UTC</time>', utc.isoformat(), f"{utc:%Y-%m-%d %H:%M:%S}")


@register.filter
def left(until: datetime) -> str:
    """How much of a time is left."""
    return f"{timeuntil(until, depth=2)} left" if until > datetime.now(UTC) else "over"


register.filter("visible", visible)
