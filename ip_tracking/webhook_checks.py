"""System checks of the webhook: a URL that leads nowhere or where it must not, and messages that nobody can trust."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning  # noqa: A004
from django.core.checks import register as register_check

from ip_tracking import conf
from ip_tracking.webhook.target import BadTarget, target_of

# As many characters as a SHA-256 has bytes.
SECRET_CHARS = 32


def register() -> None:
    register_check(webhook_is_usable, Tags.security)


def webhook_is_usable(app_configs: object, **_: object) -> list[CheckMessage]:
    try:
        given = conf.build(getattr(settings, "IP_TRACKING", {}))
    except conf.BadSetting:
        return []  # E001 says why
    return [*_url(given), *_secret(given)]


def _url(given: conf.Settings) -> Iterable[CheckMessage]:
    if given.webhook_url:
        try:
            target_of(given)
        except BadTarget as error:
            yield Error(
                f"IP_TRACKING['WEBHOOK_URL'] cannot be used: {error}.",
                hint='Write "https://alerts.example.com/sentinel"; docs/security-api.md tells what is sent there.',
                id="ip_tracking.E013",
            )


def _secret(given: conf.Settings) -> Iterable[CheckMessage]:
    if given.webhook_url and len(given.webhook_secret) < SECRET_CHARS:
        yield Error(
            f"IP_TRACKING['WEBHOOK_SECRET'] has fewer than {SECRET_CHARS} characters: anybody could sign as we do.",
            hint='python -c "import secrets; print(secrets.token_urlsafe(32))" makes one.',
            id="ip_tracking.E014",
        )
    if given.webhook_secret and not given.webhook_url:
        yield Warning(
            "IP_TRACKING has a WEBHOOK_SECRET and no WEBHOOK_URL: nobody is told of grave cases.",
            hint="Write the URL too, or take the secret out.",
            id="ip_tracking.W013",
        )
