"""System checks: a wrong setting is found at start, not at three in the morning. One function and one id for each."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning  # noqa: A004
from django.core.checks import register as register_check
from django.db import DatabaseError

from ip_tracking import conf, coverage, decorators, outcomes
from ip_tracking.auth import PATH as BACKEND
from ip_tracking.gate import policies
from ip_tracking.routes import every_route

MIDDLEWARE = "ip_tracking.middleware.SentinelMiddleware"

# The names of the middleware that must stand before the door, in order, where a project has them: refusals too carry
# HSTS, CORS and a count.
BEFORE = (
    "metrics.middleware.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
)

Check = Callable[[], Iterable[CheckMessage]]


def register() -> None:
    for check in (settings_are_valid, policies_are_valid, policies_are_told_apart, door_stands_in_order,
                  logins_pass_the_gate, kinds_name_routes, outcomes_name_signals, somebody_is_trusted,
                  marks_name_policies, policies_cover_routes, sensitive_routes_are_guarded):  # fmt: skip
        register_check(_as_django_calls(check), Tags.security)
    # Django runs these where a database is there to ask: in `migrate`, and in `check --database default`.
    register_check(_as_django_calls(policies_are_asked), Tags.database)


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
                policies.parse_policy(name, policies.rows({name: row})[name])
        except conf.BadSetting as error:
            yield Error(str(error), hint="docs/policies.md shows the table.", id="ip_tracking.E002")


def policies_are_told_apart() -> Iterable[CheckMessage]:
    if any(policies_are_valid()):
        return  # E002 says why
    try:
        policies.table_of(policies.rows(_given("POLICIES")))
    except conf.BadSetting as error:
        yield Error(str(error), hint="docs/policies.md shows the table.", id="ip_tracking.E008")


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
    known = {route.name for route in every_route()}
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


def marks_name_policies() -> Iterable[CheckMessage]:
    """A mark that no policy answers to limits nothing."""
    # Imports the views, and with them those marks that no route leads straight to.
    marks = frozenset().union(*(decorators.every_mark_of(route.view) for route in every_route()))
    for name in sorted((decorators.used | marks) - set(policies.rows(_given("POLICIES")))):
        yield Error(
            f"@limited({name!r}) names a policy that is not in the table.",
            hint=f'Correct the name, or add to IP_TRACKING["POLICIES"]: "{name}": {{"rates": ["10/m"], "why": "..."}}',
            id="ip_tracking.E007",
        )


def policies_cover_routes() -> Iterable[CheckMessage]:
    if not _is_readable():
        return
    for found in coverage.dead():
        yield Warning(
            f"The policy {found.policy!r} guards nothing. {found.why}",
            hint="It was renamed or removed: correct the policy, or drop it with None.",
            id="ip_tracking.W004",
        )


def sensitive_routes_are_guarded() -> Iterable[CheckMessage]:
    if not _is_readable():
        return
    for found in coverage.unguarded():
        yield Warning(
            f"The route {found.route!r} is unguarded. {found.why}",
            hint='Give it a kind that a policy covers, such as KINDS = {"shop:login": "login"}; any other kind says '
            "that it is harmless.",
            id="ip_tracking.W005",
        )


def policies_are_asked() -> Iterable[CheckMessage]:
    if not _is_readable():
        return
    try:
        found = coverage.quiet(datetime.now(UTC))
    except DatabaseError:  # before the first migration there is nothing to ask
        return
    for policy in found:
        yield Warning(
            f"The policy {policy.policy!r} guards nothing. {policy.why}",
            hint="Its traffic goes another way now: see `manage.py policies`.",
            id="ip_tracking.W006",
        )


def _is_readable() -> bool:
    """Can settings and policies be read at all? E001 and E002 say why not."""
    try:
        policies.table()
    except conf.BadSetting:
        return False
    return True


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
