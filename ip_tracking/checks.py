"""System checks: a wrong setting is found at start, not at three in the morning. One function and one id for each."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning  # noqa: A004
from django.core.checks import register as register_check
from django.urls import get_resolver

from ip_tracking import conf, outcomes
from ip_tracking.gate import policies

MIDDLEWARE = "ip_tracking.middleware.SentinelMiddleware"
BACKEND = "ip_tracking.auth.GateBackend"

# The names of the middleware that must stand before the door, in order, where a project has them: refusals too carry
# HSTS, CORS and a count.
BEFORE = (
    "metrics.middleware.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
)

Check = Callable[[], Iterable[CheckMessage]]


def register() -> None:
    for check in (settings_are_valid, policies_are_valid, door_stands_in_order, logins_pass_the_gate,
                  kinds_name_routes, outcomes_name_signals, somebody_is_trusted):  # fmt: skip
        register_check(_as_django_calls(check), Tags.security)


def _as_django_calls(check: Check) -> Callable[..., list[CheckMessage]]:
    def run(app_configs: object, **_: object) -> list[CheckMessage]:
        return list(check())

    return run


def settings_are_valid() -> Iterable[CheckMessage]:
    try:
        conf.build(getattr(settings, "IP_TRACKING", {}))
    except conf.BadSetting as error:
        yield Error(str(error), hint="docs/settings.md lists every key of IP_TRACKING.", id="ip_tracking.E001")


def policies_are_valid() -> Iterable[CheckMessage]:
    for name, row in _given("POLICIES").items():
        try:
            if row is None:
                _is_shipped(name)
            else:
                policies.parse_policy(name, row)
        except conf.BadSetting as error:
            yield Error(str(error), hint="docs/policies.md shows the table.", id="ip_tracking.E002")


def door_stands_in_order() -> Iterable[CheckMessage]:
    installed = list(settings.MIDDLEWARE)
    if MIDDLEWARE not in installed:
        yield Error("The door is not in MIDDLEWARE.", hint=f'Add "{MIDDLEWARE}".', id="ip_tracking.E003")
        return
    door = installed.index(MIDDLEWARE)
    present = [name for name in BEFORE if name in installed]
    if [name for name in installed[:door] if name in BEFORE] != present or any(
        name not in BEFORE for name in installed[:door]
    ):
        yield Error(
            f"MIDDLEWARE must begin with {', '.join([*present, MIDDLEWARE])}.",
            hint="Else a refusal lacks HSTS, CORS or its count, or costs a session before it is made.",
            id="ip_tracking.E004",
        )


def logins_pass_the_gate() -> Iterable[CheckMessage]:
    backends = list(settings.AUTHENTICATION_BACKENDS)
    if BACKEND in backends and backends[0] != BACKEND:
        yield Error(
            "GateBackend is not the first of AUTHENTICATION_BACKENDS.",
            hint="A backend before it would let logins pass uncounted.",
            id="ip_tracking.E005",
        )
    if BACKEND not in backends:
        yield Warning(
            "Logins are limited by their route only: GateBackend is not in AUTHENTICATION_BACKENDS.",
            hint=f'Put "{BACKEND}" first, so that every authenticate() is counted.',
            id="ip_tracking.W001",
        )


def kinds_name_routes() -> Iterable[CheckMessage]:
    known = _route_names()
    for name in _given("KINDS"):
        if name not in known:
            yield Warning(
                f"KINDS names the route {name!r}, which the URLconf does not have.",
                hint="It was renamed or removed: what was guarded by this kind no longer is.",
                id="ip_tracking.W002",
            )


def outcomes_name_signals() -> Iterable[CheckMessage]:
    for path in _given("OUTCOMES"):
        try:
            outcomes.signal_at(path)
        except ImportError as error:
            yield Error(
                f"OUTCOMES names the signal {path!r}, which cannot be imported ({error}).",
                hint='Write the dotted path of a django.dispatch.Signal, such as "shop.signals.payment_declined".',
                id="ip_tracking.E006",
            )


def somebody_is_trusted() -> Iterable[CheckMessage]:
    """Behind a proxy nobody trusts, all clients are the proxy: the first attacker blocks everybody."""
    behind_proxy = settings.SECURE_PROXY_SSL_HEADER is not None or settings.USE_X_FORWARDED_HOST
    if behind_proxy and not getattr(settings, "IP_TRACKING", {}).get("TRUSTED_PROXIES"):
        yield Warning(
            "Django is told that a proxy stands in front, but TRUSTED_PROXIES is empty: every client looks like it.",
            hint='Name the proxy, such as ["10.0.0.0/8"], or ["unix"] for a unix socket.',
            id="ip_tracking.W003",
        )


def _given(key: str) -> Mapping[str, Any]:
    """Returns one table of IP_TRACKING as it was written."""
    table: Mapping[str, Any] = getattr(settings, "IP_TRACKING", {}).get(key, {})
    return table


def _is_shipped(name: str) -> None:
    """None drops a shipped policy, so a name that none has drops nothing."""
    if name not in policies.SHIPPED:
        near = difflib.get_close_matches(name, policies.SHIPPED, n=1)
        raise conf.BadSetting(
            f"policy {name!r} is None, which drops a shipped policy, but none has this name"
            + (f"; did you mean {near[0]!r}?" if near else f"; write one of {', '.join(policies.SHIPPED)}")
        )


def _route_names() -> set[str]:
    found: set[str] = set()
    _collect(get_resolver(), "", found)
    return found


def _collect(resolver: object, namespace: str, found: set[str]) -> None:
    for pattern in resolver.url_patterns:  # type: ignore[attr-defined]
        if hasattr(pattern, "url_patterns"):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            _collect(pattern, inner, found)
        elif pattern.name:
            found.add(f"{namespace}{pattern.name}")


def gate_enforces() -> Iterable[CheckMessage]:
    mode = getattr(settings, "IP_TRACKING", {}).get("MODE", "enforce")
    if mode in {"shadow", "off"}:
        yield Warning(
            f"IP_TRACKING['MODE'] is {mode!r}: the gate refuses nobody.",
            hint="Write 'enforce'. For some hours, `manage.py gate --off 1h` switches it and comes back by itself.",
            id="ip_tracking.W012",
        )


# Only under `check --deploy`: a developer may well do without.
register_check(_as_django_calls(gate_enforces), Tags.security, deploy=True)
