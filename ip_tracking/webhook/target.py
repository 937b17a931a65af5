"""Where the webhook goes: IP_TRACKING["WEBHOOK_URL"], read strictly."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from ip_tracking.conf import Settings
from ip_tracking.webhook.address import is_allowed

PORTS = {"https": 443, "http": 80}

# What a URL can hold; anything else could break out of the request's first line.
PLAIN = re.compile(r"[!-~]+")


class BadTarget(ValueError):
    """A URL that nothing can be sent to; the text says what would be right."""


class Target(NamedTuple):
    scheme: str
    host: str
    port: int
    path: str


def target_of(settings: Settings) -> Target:
    """Reads WEBHOOK_URL; raises BadTarget. Looks no name up."""
    url = settings.webhook_url
    if not PLAIN.fullmatch(url):
        raise BadTarget("it has spaces or characters that no URL has: percent-encode them")
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")  # as it is looked up
    except ValueError as error:
        raise BadTarget(f"it cannot be read ({error})") from error
    if parts.scheme not in PORTS or not parts.hostname:
        raise BadTarget("write https://, a host and a path")
    if parts.username is not None or parts.password is not None:
        raise BadTarget("it has a user or a password, which would be sent to nobody: the signature says who we are")
    if parts.scheme == "http" and not settings.webhook_networks:
        raise BadTarget("it is not https: only to a network named in WEBHOOK_NETWORKS may plain http go")
    target = Target(parts.scheme, parts.hostname, port or PORTS[parts.scheme], _path(parts.path, parts.query))
    _check_literal(target, settings)
    return target


def _path(path: str, query: str) -> str:
    return (path or "/") + (f"?{query}" if query else "")


def _check_literal(target: Target, settings: Settings) -> None:
    try:
        address = ip_address(target.host)
    except ValueError:
        return  # a name: looked up each time something is sent
    if not is_allowed(address, settings.webhook_networks, plain=target.scheme == "http"):
        raise BadTarget(f"{address} is not public: name its network in WEBHOOK_NETWORKS if it is your own")
