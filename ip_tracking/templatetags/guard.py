"""`{% load guard %}{% guard_banner %}`: says at the top of a page that the gate does not enforce, and how it would."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import template

from ip_tracking.review.switch import guard_down
from ip_tracking.switch_page import may_switch

register = template.Library()


@register.inclusion_tag("ip_tracking/guard.html", takes_context=True)
def guard_banner(context: template.Context) -> dict[str, Any]:
    return {"down": guard_down(datetime.now(UTC)), "may_switch": may_switch(context["request"])}
