"""A refusal as a problem document (RFC 9457), of the types that draft-ietf-httpapi-ratelimit-headers-11 names."""

from __future__ import annotations

from typing import Any

from ip_tracking.gate.verdict import BLOCK, THROTTLE, Verdict

# What GraphQL clients look at, by status.
CODES = {403: "FORBIDDEN", 429: "RATE_LIMITED", 503: "SERVICE_UNAVAILABLE"}

TYPES = "https://iana.org/assignments/http-problem-types#"


def problem_of(verdict: Verdict, request_id: str) -> dict[str, Any]:
    """Returns what a refused caller reads: which limit, until when, and the id to ask support about."""
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


def extensions_of(verdict: Verdict, request_id: str) -> dict[str, Any]:
    """Returns the same for the `extensions` of a GraphQL error, whose clients look at `code`."""
    problem = problem_of(verdict, request_id)
    extensions = {"code": CODES[problem["status"]], **problem}
    if verdict.refused != BLOCK:
        extensions["retry-after"] = verdict.retry_after_s
    return extensions
