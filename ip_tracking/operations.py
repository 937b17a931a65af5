"""Which limits hold which operation of the API, as its consumers are told: the policies laid over the URLconf."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from ip_tracking import conf
from ip_tracking.decorators import is_free, marks_of
from ip_tracking.gate.plan import Limit, limit_of
from ip_tracking.gate.policies import EVERYTHING, GRAPHQL, HEALTH, Policy, table
from ip_tracking.routes import Route, every_route

# Asked by machinery, not by whoever reads which operations there are.
NOT_ASKED = ("head", "options", "trace")


class Operation(NamedTuple):
    """A method of a route."""

    method: str
    route: Route


def limits_on(operation: Operation) -> list[Limit]:
    """Returns the limits that count this operation and may be told, in the order of the table."""
    return [limit_of(policy, rate) for policy in table() if _holds(policy, operation) for rate in policy.rates]


def is_guarded(operation: Operation) -> bool:
    """Does the door look at it? Health routes are never refused."""
    return conf.get().kinds.get(operation.route.name, "") != HEALTH


def may_rest(operation: Operation) -> bool:
    """Is this operation closed while the store of the limits is away? Also for a limit that is nobody's to read."""
    return any(
        policy.store_away == "closed" and policy.mode == "enforce" and _covers(policy, operation) for policy in table()
    )


@lru_cache(maxsize=256)
def covered_by(policy: Policy) -> tuple[str, ...]:
    """Returns what a policy covers of the API: "everything", or operations such as "POST /api/v1/checkout/"."""
    if EVERYTHING in policy.routes:
        return tuple(f"{method} everything" for method in sorted(policy.methods)) or ("everything",)
    return tuple(f"{operation.method} {operation.route.path}" for operation in _api() if _holds(policy, operation))


def _holds(policy: Policy, operation: Operation) -> bool:
    return policy.is_told and _covers(policy, operation)


def _covers(policy: Policy, operation: Operation) -> bool:
    method, route = operation
    kind = conf.get().kinds.get(route.name, "")
    if kind == HEALTH or is_free(route.view):
        return False
    return policy.covers(route.name, kind, method, marks_of(route.view, method))


@lru_cache(maxsize=1)
def _api() -> tuple[Operation, ...]:
    """What REST framework and GraphQL answer. The admin and a site's own pages are nothing for a stranger to read."""
    return tuple(
        Operation(method, route)
        for route in every_route()
        if hasattr(route.view, "cls") or conf.get().kinds.get(route.name) == GRAPHQL
        if not route.path.rstrip("/").endswith(".{format}")
        for method in _methods(route.view)
    )


def _methods(view: Any) -> list[str]:
    of_class = getattr(view, "cls", None) or getattr(view, "view_class", None)
    actions = getattr(view, "actions", None)  # of a viewset, by method
    names = [name for name in getattr(of_class, "http_method_names", ()) if name not in NOT_ASKED]
    return [name.upper() for name in names if (name in actions if actions else hasattr(of_class, name))]


@conf.on_change
def _forget() -> None:
    covered_by.cache_clear()
    _api.cache_clear()
