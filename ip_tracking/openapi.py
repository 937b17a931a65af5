"""The limits in the OpenAPI document: SPECTACULAR_SETTINGS["POSTPROCESSING_HOOKS"] names `describe_limits`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ip_tracking.gate.fields import POLICY, STANDING
from ip_tracking.gate.plan import Limit
from ip_tracking.gate.problem import TYPES
from ip_tracking.gate.responses import PROBLEM
from ip_tracking.operations import Operation, is_guarded, limits_on, may_rest
from ip_tracking.routes import every_route

RETRY_AFTER = "Retry-After"

FIELDS = {
    POLICY: {
        "description": "The limits that counted this request: a name, its quota `q`, and the window `w` in seconds. "
        "Whoever sends at most `q` in any `w` is never refused.",
        "schema": {"type": "string"},
        "example": '"site";q=1200;w=64',
    },
    STANDING: {
        "description": "How each of them stands: `r` is left for the next `t` seconds.",
        "schema": {"type": "string"},
        "example": '"site";r=1199;t=60',
    },
    RETRY_AFTER: {
        "description": "Seconds until this request is answered again.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 31,
    },
}

REFUSAL = {
    "type": "object",
    "description": "A refused request, as a problem document (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri", "description": "What to tell support."},
        "violated-policies": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The limits that refused.",
        },
    },
    "required": ["type", "title", "status", "detail", "instance"],
    "example": {
        "type": f"{TYPES}quota-exceeded",
        "title": "Quota exceeded",
        "status": 429,
        "detail": "Too many requests under the policy site. Retry in 31 seconds.",
        "instance": "urn:sentinel:request:5e8f0d1c2b3a49586776a5b4c3d2e1f0",
        "violated-policies": ["site"],
    },
}

TOLD_WITH_ANSWERS = {name: {"$ref": f"#/components/headers/{name}"} for name in (POLICY, STANDING)}

TOO_MANY = {
    "description": "A limit is reached. Wait as `Retry-After` says.",
    "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in FIELDS},
    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Refusal"}}},
}


BLOCKED = {
    "description": "Requests from your network are not accepted.",
    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Refusal"}}},
}

RESTING = {
    "description": "This part of the service is resting for a moment. Wait as `Retry-After` says.",
    "headers": {RETRY_AFTER: {"$ref": f"#/components/headers/{RETRY_AFTER}"}},
    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Refusal"}}},
}

REFUSALS = {"NetworkBlocked": BLOCKED, "TooManyRequests": TOO_MANY, "Resting": RESTING}


# Any: an OpenAPI document is JSON of every shape, and drf-spectacular's generator has no annotations.
def describe_limits(result: dict[str, Any], generator: Any, **_: object) -> dict[str, Any]:
    """Tells of each operation which limits count it: in words, for programs, as fields, and as its refusals."""
    components = result.setdefault("components", {})
    components.setdefault("headers", {}).update(FIELDS)
    components.setdefault("schemas", {})["Refusal"] = REFUSAL
    components.setdefault("responses", {}).update(REFUSALS)
    for path, operation in _operations(generator):
        described = result["paths"].get(path, {}).get(operation.method.lower())
        if described is None or not is_guarded(operation):
            continue
        limits = limits_on(operation)
        if limits:
            _describe(described, limits)
        _refuse(described, bool(limits), may_rest(operation))
    return result


def _operations(generator: Any) -> Iterator[tuple[str, Operation]]:
    """Each endpoint's path in the document, with its route.

    What drf-spectacular's settings do to paths later (trimming a prefix, versions) is not followed: such an operation
    stays as it was.
    """
    routes = {(route.path, route.view): route for route in every_route()}
    for path, _, method, view in generator.endpoints or ():
        route = routes.get((path, view))
        if route is not None:
            yield generator.coerce_path(path, method, generator.create_view(view, method)), Operation(method, route)


def _describe(described: dict[str, Any], limits: list[Limit]) -> None:
    sentence = f"Limits: {', '.join(_in_words(limit) for limit in limits)}."
    described["description"] = f"{described.get('description', '')}\n\n{sentence}".strip()
    described["x-ratelimit-policies"] = [_for_programs(limit) for limit in limits]
    for status, answer in described["responses"].items():
        if str(status).startswith("2") and "$ref" not in answer:
            answer.setdefault("headers", {}).update(TOLD_WITH_ANSWERS)


def _refuse(described: dict[str, Any], limited: bool, rests: bool) -> None:
    answers = {"403": "NetworkBlocked"}
    if limited:
        answers["429"] = "TooManyRequests"
    if rests:
        answers["503"] = "Resting"
    told = {status: {"$ref": f"#/components/responses/{name}"} for status, name in answers.items()}
    # Where the operation has a refusal of that status itself, its own words stand.
    described["responses"] = dict(sorted({**told, **described["responses"]}.items()))


def _in_words(limit: Limit) -> str:
    what = "failed requests" if limit.returnable else "requests"
    cost = "" if limit.policy.cost == 1 else f", where this one counts as {limit.policy.cost}"
    return f"{limit.rate.limit} {what} per {limit.rate.published_window_s} s ({limit.name}{cost})"


def _for_programs(limit: Limit) -> dict[str, Any]:
    return {
        "name": limit.name,
        "limit": limit.rate.limit,
        "window": limit.rate.published_window_s,
        "counts": limit.policy.counts,
        "cost": limit.policy.cost,
    }
