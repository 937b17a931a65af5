"""What a caller reads: the fields of draft-ietf-httpapi-ratelimit-headers-11 and refusals as RFC 9457 problems."""

from __future__ import annotations

import json
from collections.abc import Set
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from ip_tracking.event import US
from ip_tracking.gate.cacheable import is_shareable
from ip_tracking.gate.verdict import BLOCK, THROTTLE, Quota, Verdict

PROBLEM = "application/problem+json"
TYPES = "https://iana.org/assignments/http-problem-types#"


def refusal(request: HttpRequest, verdict: Verdict, request_id: str) -> HttpResponse:
    """Returns the answer to a refused request: which limit, until when, and the id to ask support about."""
    problem = _problem(verdict, request_id)
    status = int(problem["status"])
    if _is_browser(request):
        response = HttpResponse(render_to_string("ip_tracking/refused.html", problem), status=status)
        # Alone on its page: no script, no style from anywhere, not in a frame.
        response["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; frame-ancestors 'none'"
    else:
        response = HttpResponse(json.dumps(problem), status=status, content_type=PROBLEM)
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
    told = [quota for quota in quotas if quota.limit.told]
    if not told:
        return
    response["RateLimit-Policy"] = ", ".join([quota.limit.field for quota in told])
    if not is_shareable(response):
        response["RateLimit"] = ", ".join([_quota_item(quota, returned) for quota in told])


def _quota_item(quota: Quota, returned: Set[str]) -> str:
    if quota.key in returned:
        quota = quota.after_return()
    # What is left, but less than this request costs, is nothing to its caller.
    left = 0 if quota.wait_us else max(0, quota.limit.rate.limit - quota.used)
    effective_us = quota.wait_us or quota.leave_us or quota.limit.rate.window_us
    return f'"{quota.limit.name}";r={left};t={-(-effective_us // US)}'


def _problem(verdict: Verdict, request_id: str) -> dict[str, Any]:
    wait = f"{verdict.retry_after_s} second{'' if verdict.retry_after_s == 1 else 's'}"
    instance = f"urn:sentinel:request:{request_id}"
    if verdict.refused == BLOCK:
        return {
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
            "detail": "Requests from your network are not accepted.",
            "instance": instance,
        }
    if verdict.refused == THROTTLE:
        return {
            "type": f"{TYPES}abnormal-usage-detected",
            "title": "Abnormal usage detected",
            "status": 429,
            "detail": f"Requests from your network look automated. Retry in {wait}.",
            "instance": instance,
        }
    if verdict.away:
        return {
            "type": f"{TYPES}temporary-reduced-capacity",
            "title": "Temporary reduced capacity",
            "status": 503,
            "detail": f"This part of the service is resting for a moment. Retry in {wait}.",
            "instance": instance,
            "violated-policies": [verdict.refused],
        }
    return {
        "type": f"{TYPES}quota-exceeded",
        "title": "Quota exceeded",
        "status": 429,
        "detail": f"Too many requests under the policy {', '.join(verdict.violated)}. Retry in {wait}.",
        "instance": instance,
        "violated-policies": verdict.violated,
    }


def _is_browser(request: HttpRequest) -> bool:
    accept = request.META.get("HTTP_ACCEPT", "")
    return "text/html" in accept and "json" not in accept
