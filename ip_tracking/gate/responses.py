"""What a caller reads: a refusal in the shape they understand, and the fields that tell their limits."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Set
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine, TemplateDoesNotExist
from django.template.loader import render_to_string

from ip_tracking import conf
from ip_tracking.gate.cacheable import is_shareable
from ip_tracking.gate.fields import fields_of, standings
from ip_tracking.gate.policies import GRAPHQL
from ip_tracking.gate.problem import extensions_of, problem_of
from ip_tracking.gate.verdict import BLOCK, Quota, Verdict

PROBLEM = "application/problem+json"
GRAPHQL_RESPONSE = "application/graphql-response+json"

PAGE, STYLE = "ip_tracking/refused.html", "ip_tracking/refused.css"


def refusal(request: HttpRequest, verdict: Verdict, request_id: str) -> HttpResponse:
    """Returns the answer to a refused request: a page, a GraphQL error, or a problem document."""
    problem = problem_of(verdict, request_id)
    if _is_browser(request):
        response = _page(problem)
    elif _is_graphql(request):
        response = _graphql_error(request, extensions_of(verdict, request_id))
    else:
        response = HttpResponse(json.dumps(problem), status=problem["status"], content_type=PROBLEM)
    response["Content-Length"] = str(len(response.content))  # nothing after the door adds it
    response["Cache-Control"] = "no-store"
    if verdict.refused != BLOCK:
        response["Retry-After"] = str(verdict.retry_after_s)
        add_fields(response, verdict.quotas)
    return response


def add_fields(response: HttpResponse, quotas: tuple[Quota, ...], returned: Set[str] = frozenset()) -> None:
    """Tells a caller their limits and what is left; `returned` are the keys whose place was given back since.

    Only limits counted by the caller's own network or user: another's remainder is nobody's business. Where a shared
    cache may keep the answer, only the limits: what is left is one caller's, and old by then.
    """
    told = standings(quotas, returned)
    for name, value in fields_of(told, with_remainders=not is_shareable(response)).items():
        response[name] = value


def _page(problem: dict[str, Any]) -> HttpResponse:
    response = HttpResponse(_rendered(PAGE, problem), status=problem["status"])
    # Alone on its page: no script, not in a frame, and no style but its own, which is in it: a sheet of its own would
    # be refused like the page.
    response["Content-Security-Policy"] = (
        f"default-src 'none'; style-src '{_style_hash()}'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    return response


def _rendered(name: str, context: dict[str, Any]) -> str:
    """By the project's own engine, so that it may have a page of its own; an API often has none that finds ours."""
    try:
        return render_to_string(name, context)
    except TemplateDoesNotExist:
        return _own_engine().get_template(name).render(Context(context))


@lru_cache(maxsize=1)
def _own_engine() -> Engine:
    return Engine(dirs=[str(Path(__file__).parents[1] / "templates")])


@lru_cache(maxsize=1)
def _style_hash() -> str:
    digest = hashlib.sha256(_rendered(STYLE, {}).encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _graphql_error(request: HttpRequest, extensions: dict[str, Any]) -> HttpResponse:
    """A request error of GraphQL over HTTP: `errors` without `data`, as nothing was executed."""
    body = {"errors": [{"message": extensions["detail"], "extensions": extensions}]}
    media_type = GRAPHQL_RESPONSE if _accepts(request, GRAPHQL_RESPONSE) else "application/json"
    return HttpResponse(json.dumps(body), status=extensions["status"], content_type=media_type)


def _is_browser(request: HttpRequest) -> bool:
    return _accepts(request, "text/html") and not _accepts(request, "json")


def _is_graphql(request: HttpRequest) -> bool:
    match = request.resolver_match
    kind = conf.get().kinds.get(match.view_name, "") if match is not None else ""
    return kind == GRAPHQL or _accepts(request, GRAPHQL_RESPONSE)


def _accepts(request: HttpRequest, media_type: str) -> bool:
    """Does Accept name it? `*/*`, which every program sends, asks for nothing in particular."""
    return media_type in request.META.get("HTTP_ACCEPT", "")
