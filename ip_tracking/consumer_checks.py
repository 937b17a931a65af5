"""System checks for what API consumers read."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning  # noqa: A004
from django.core.checks import register as register_check

from ip_tracking import conf
from ip_tracking.gate import fields

CORS = "corsheaders.middleware.CorsMiddleware"


def register() -> None:
    register_check(scripts_can_read_limits, Tags.security)


def scripts_can_read_limits(app_configs: object, **_: object) -> list[CheckMessage]:
    """A script of another origin reads no field that is not exposed to it: it would retry at once, and for ever."""
    if CORS not in settings.MIDDLEWARE:
        return []
    try:
        wanted = fields.sent()
    except conf.BadSetting:  # E001 tells
        return []
    exposed = {name.lower() for name in getattr(settings, "CORS_EXPOSE_HEADERS", ())}
    missing = [name for name in wanted if name.lower() not in exposed and "*" not in exposed]
    if not missing:
        return []
    return [
        Warning(
            f"Pages of other origins cannot read {', '.join(missing)}: django-cors-headers does not expose them.",
            hint=f"CORS_EXPOSE_HEADERS = {list(wanted)}",
            id="ip_tracking.W007",
        )
    ]
