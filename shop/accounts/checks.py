"""Links that lead customers nowhere are found before the first mail."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks


def links_lead_somewhere(app_configs: object, **_: object) -> list[checks.CheckMessage]:
    """Only under `check --deploy`: a developer reads mails on the machine that the links lead to."""
    if not _is_this_machine(urlsplit(settings.SHOP_URL).hostname or ""):
        return []
    return [
        checks.Warning(
            f"SHOP_URL={settings.SHOP_URL!r} leads to whatever machine a customer reads their mail on.",
            hint="Set it to the front end's address, as in https://www.example.com: links in mails begin with it.",
            id="accounts.W001",
        )
    ]


def _is_this_machine(host: str) -> bool:
    if host in ("", "localhost") or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
