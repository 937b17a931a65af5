"""`settings.IP_TRACKING`, read once into one typed object. Nothing else in this app reads Django's settings for it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import pairwise
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.http import HttpRequest
from django.utils.module_loading import import_string

Network = IPv4Network | IPv6Network
KnownCaller = Callable[[HttpRequest], str | None]

ENFORCE = ("cases", "throttle", "block")
RECORD = ("celery", "thread", "off")
MODES = ("enforce", "shadow", "off")

# Stands in TRUSTED_PROXIES for a peer without an address: a server listening on a unix socket.
UNIX = "unix"

# Networks of one's own: private use, loopback, and what providers share among their customers.
PRIVATE = tuple(
    map(
        ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "fc00::/7", "::1/128"),
    )
)

# The sweep and a changed rule look a day back, so that less would leave them nothing.
KEEP_DAYS = range(2, 3_651)

COOKIE_NAME = re.compile(r"[A-Za-z0-9_-]*")


class BadSetting(ValueError):
    """A value that cannot be used; the text says what was wrong and what would be right."""


def nobody(request: HttpRequest) -> str | None:
    """The KNOWN_CALLER of a project that named none: every caller is a stranger."""
    return None


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default. The names in `IP_TRACKING` are these in capitals."""

    mode: str = "enforce"  # of the whole gate: enforce; shadow refuses nobody and says whom; off counts nothing
    store_url: str = "redis://127.0.0.1:6379/0"  # limits and decisions: Redis or Valkey, unix:// too
    store_timeout_s: float = 0.02  # connecting, and waiting for an answer, each
    key_prefix: str = "sentinel"
    trusted_proxies: tuple[str, ...] = ()  # CIDRs, and "unix"
    proxy_header: str = "X-Forwarded-For"
    known_caller: KnownCaller = nobody  # request -> id or None, without I/O
    kinds: Mapping[str, str] = field(default_factory=dict)  # route name -> kind
    outcomes: Mapping[str, str] = field(default_factory=dict)  # dotted path of a signal -> outcome
    policies: Mapping[str, Any] = field(default_factory=dict)  # over gate.policies.SHIPPED, by name; None drops one
    device_cookie: str = "sentinel_device"  # given at a good login, see ip_tracking.device; "" for none
    dead_after_days: int = 14  # a policy that was not asked for so long is reported
    legacy_fields: bool = False  # also X-RateLimit-Limit, -Remaining and -Reset
    enforce: str = "cases"  # what a detector may do by itself: file a case, throttle, block
    enforce_for_s: int = 3_600  # how long a detector's first decision stands; later ones are longer
    record: str = "celery"  # who stores events: a worker, this process' own thread, nobody
    background: bool = True  # the process' own thread: sends events, refreshes decisions; off in unit tests
    spool_dir: str = ""  # where batches wait that could not be sent; "" drops them, counted
    site_url: str = ""  # what links to this site begin with, as in "https://shop.example.com"
    webhook_url: str = ""  # who is told of grave cases; "" tells nobody
    webhook_secret: str = field(default="", repr=False)  # what its messages are signed with
    webhook_networks: tuple[Network, ...] = ()  # private networks that it may go to
    keep_log_days: int = 30  # the request log, by whole UTC days
    keep_evidence_days: int = 180  # the requests frozen in findings
    keep_case_days: int = 730  # closed cases, what people wrote about them, ended decisions
    trusted_networks: tuple[Network, ...] = ()  # derived from trusted_proxies
    trusts_unix: bool = False  # derived from trusted_proxies


DERIVED = {"trusted_networks", "trusts_unix"}
KEYS = {f.name.upper(): f.name for f in fields(Settings) if f.name not in DERIVED}


def networks(entries: tuple[str, ...]) -> tuple[Network, ...]:
    """Reads TRUSTED_PROXIES; raises BadSetting for what is neither a network nor "unix"."""
    found = []
    for entry in entries:
        if entry == UNIX:
            continue
        try:
            found.append(ip_network(entry))
        except ValueError as error:
            raise BadSetting(
                f'{entry!r} in TRUSTED_PROXIES is not a network ({error}); write "10.0.0.0/8" or "unix"'
            ) from error
    return tuple(found)


def own_networks(entries: object) -> tuple[Network, ...]:
    """Reads WEBHOOK_NETWORKS: CIDRs within the private ranges, so that no slip opens the link-local ones or all."""
    try:
        found = tuple(ip_network(entry) for entry in _listed("WEBHOOK_NETWORKS", entries))
    except ValueError as error:
        raise BadSetting(f"IP_TRACKING['WEBHOOK_NETWORKS']: {error}; write [\"10.1.2.0/24\"]") from error
    for network in found:
        if not any(network.version == own.version and network.subnet_of(own) for own in PRIVATE):  # type: ignore[arg-type]
            ranges = ", ".join(map(str, PRIVATE))
            raise BadSetting(f"IP_TRACKING['WEBHOOK_NETWORKS'] names {network}, which is in none of {ranges}")
    return found


def _listed(key: str, value: object) -> list[str]:
    if not isinstance(value, list | tuple):
        raise BadSetting(f"IP_TRACKING[{key!r}] is {value!r}; write a list: [{value!r}]")
    return [str(entry) for entry in value]


def unknown_key(key: str) -> str:
    near = difflib.get_close_matches(key.upper(), KEYS, n=1)
    return f"IP_TRACKING has no key {key!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def one_of(key: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise BadSetting(f"IP_TRACKING[{key!r}] is {value!r}; write one of {', '.join(map(repr, allowed))}")


def known_caller(value: object) -> KnownCaller:
    """Reads KNOWN_CALLER: a function or its dotted path."""
    if isinstance(value, str):
        try:
            value = import_string(value)
        except ImportError as error:
            raise BadSetting(f"IP_TRACKING['KNOWN_CALLER'] cannot be imported: {error}") from error
    if not callable(value):
        raise BadSetting(f"IP_TRACKING['KNOWN_CALLER'] is {value!r}; write a function of the request, or its path")
    return value


def check_kept(settings: Settings) -> None:
    """Raises BadSetting for times nobody can keep to: what is told of a request must not outlive what tells it less."""
    kept = {f.name.upper(): getattr(settings, f.name) for f in fields(Settings) if f.name.startswith("keep_")}
    for key, days in kept.items():
        if type(days) is not int or days not in KEEP_DAYS:
            raise BadSetting(
                f"IP_TRACKING[{key!r}] is {days!r}; write a number of days from {KEEP_DAYS.start} to {KEEP_DAYS[-1]}"
            )
    for (shorter, few), (longer, many) in pairwise(kept.items()):
        if few > many:
            raise BadSetting(
                f"IP_TRACKING[{longer!r}] is {many}, less than {shorter!r}, which is {few}; write {few} or more"
            )


def build(raw: Mapping[str, Any]) -> Settings:
    """Returns the settings of one IP_TRACKING dictionary; raises BadSetting for the first that is wrong."""
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in KEYS:
            raise BadSetting(unknown_key(key))
        values[KEYS[key]] = value
    one_of("ENFORCE", values.get("enforce", "cases"), ENFORCE)
    one_of("MODE", values.get("mode", "enforce"), MODES)
    one_of("RECORD", values.get("record", "celery"), RECORD)
    cookie = values.get("device_cookie", "")
    if not isinstance(cookie, str) or not COOKIE_NAME.fullmatch(cookie):
        raise BadSetting(
            f"IP_TRACKING['DEVICE_COOKIE'] is {cookie!r}; write letters, digits, - and _, or \"\" for none"
        )
    proxies = values.get("trusted_proxies", ())
    if isinstance(proxies, str):
        raise BadSetting(f"IP_TRACKING['TRUSTED_PROXIES'] is {proxies!r}; write a list: [{proxies!r}]")
    proxies = tuple(proxies)
    values |= {
        "webhook_networks": own_networks(values.get("webhook_networks", ())),
        "trusted_proxies": proxies,
        "trusted_networks": networks(proxies),
        "trusts_unix": UNIX in proxies,
        "known_caller": known_caller(values.get("known_caller", nobody)),
    }
    settings = Settings(**values)
    check_kept(settings)
    return settings


_current: Settings | None = None
_on_change: list[Callable[[], None]] = []


def get() -> Settings:
    """Returns this process' settings; raises BadSetting, which a system check reports first."""
    global _current  # noqa: PLW0603 - the one memo of this module
    if _current is None:
        _current = build(getattr(django_settings, "IP_TRACKING", {}))
    return _current


def on_change(forget: Callable[[], None]) -> Callable[[], None]:
    """Registers what must forget its memo when the settings change (in tests, by `override_settings`)."""
    _on_change.append(forget)
    return forget


def _forget(*, setting: str, **_: object) -> None:
    global _current  # noqa: PLW0603
    if setting in {"IP_TRACKING", "ROOT_URLCONF", "AUTHENTICATION_BACKENDS"}:
        _current = None
        for forget in _on_change:
            forget()


setting_changed.connect(_forget)
