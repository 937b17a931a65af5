"""Warnings from what was seen lately: clients that cannot be told apart. Asked of the database, so at `migrate`,
`check --database default`, and where people look at how clients are derived."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from django.core.checks import CheckMessage, Tags, Warning  # noqa: A004
from django.core.checks import register as register_check
from django.db import DEFAULT_DB_ALIAS, connection

from ip_tracking import conf
from ip_tracking.client import UNKNOWN, holds_proxy, network_of
from ip_tracking.models import HeaderHour, RequestLog

LOOK_BACK = timedelta(hours=24)

# Fewer requests are somebody trying things out. Of more, the latest tell: a busy day has millions.
FEWEST = 1_000
LATEST = 10_000

# Health checks and an office's own traffic come past the proxies.
NEARLY_ALL = 0.95

SEE = "docs/client-identity.md tells how to see it."


def register() -> None:
    register_check(_as_django_calls, Tags.database)


def _as_django_calls(
    app_configs: object, databases: Sequence[str] | None = None, **_: object
) -> Iterable[CheckMessage]:
    if DEFAULT_DB_ALIAS not in (databases or ()) or not _tables_are_there():
        return []
    return found(datetime.now(UTC))


def found(now: datetime) -> list[CheckMessage]:
    return [*nearly_all_are_one_client(now - LOOK_BACK), *nearly_all_say_more_than_is_vouched_for(now - LOOK_BACK)]


def nearly_all_are_one_client(since: datetime) -> Iterable[CheckMessage]:
    """A single public address may be one customer's load test, or an attack; any other is hardly a client."""
    address, count, requests = RequestLog.objects.busiest_address(since, most=LATEST)
    if requests < FEWEST or count < NEARLY_ALL * requests:
        return
    hint = _if_no_client(address)
    if hint:
        yield Warning(
            f"{count:,} of the latest {requests:,} requests came from {address}: clients look like one.",
            hint=f"{hint} {SEE}",
            id="ip_tracking.W010",
        )


def nearly_all_say_more_than_is_vouched_for(since: datetime) -> Iterable[CheckMessage]:
    requests, beyond = HeaderHour.objects.totals(since)
    if requests >= FEWEST and beyond >= NEARLY_ALL * requests:
        yield Warning(
            f"Of {requests:,} requests of the last day, {beyond:,} named further addresses in "
            f"{conf.get().proxy_header}, left of where trust ends.",
            hint=f"A proxy is missing in TRUSTED_PROXIES, or everybody lies. {SEE}",
            id="ip_tracking.W011",
        )


def _if_no_client(address: str) -> str:
    """What is wrong where so much comes from this address, "" where it may be right."""
    header = conf.get().proxy_header
    if network_of(address) == UNKNOWN:
        return 'The server listens on a unix socket that TRUSTED_PROXIES does not name: add "unix".'
    if holds_proxy(address):
        return (
            f"It is a trusted proxy that names no client: have it write {header}, or set PROXY_HEADER to what it does."
        )
    if not ip_address(address).is_global:
        return (
            "It is a private address: if a proxy has it, add it to TRUSTED_PROXIES; if one client does, silence this."
        )
    return ""


def _tables_are_there() -> bool:
    """Before the first `migrate` they are not."""
    return {model._meta.db_table for model in (RequestLog, HeaderHour)} <= set(connection.introspection.table_names())
