"""What the OpenAPI document shows of each operation, by the example of one attacker."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

from ip_tracking.review.order import Action

BATCH = "1d7ad5d6-64a6-4b8c-8c58-1d0d2b8e1c77"
WHY = "Card testing since noon."

ONE_CASE: dict[str, Any] = {
    "id": 17,
    "version": 3,
    "network": "203.0.113.9",
    "severity": "high",
    "score": 40,
    "top_rule": "login-brute-force",
    "first_seen": "2026-03-02T12:00:00Z",
    "last_seen": "2026-03-02T12:00:09Z",
    "triage": "open",
    "assignee": {"id": "7", "name": "dana"},
    "snoozed_until": None,
    "snoozed_score": None,
    "verdict": "",
    "judged_at": None,
    "enforcement": "none",
    "enforced_until": None,
    "spared_until": None,
    "note": "",
    "source": "live",
    "reopened": False,
    "created_at": "2026-03-02T12:00:10Z",
}
BLOCKED = ONE_CASE | {"version": 4, "enforcement": "block", "enforced_until": "2026-03-03T12:10:00Z"}

EVENT = {
    "at": "2026-03-02T12:00:09Z",
    "request_id": "5e8f0d1c2b3a49586776a5b4c3d2e1f0",
    "address": "203.0.113.9",
    "method": "POST",
    "path": "/api/v1/auth/token/",
    "query": "",
    "route": "shop:login",
    "kind": "login",
    "status": 401,
    "duration_us": 61000,
    "user_agent": "python-requests/2.32",
    "user": "",
    "account": "9f86d081884c7d659a2feaa0",
    "outcome": "login_failed",
    "refused": "",
    "symptoms": "login_failed",
}

STAKES = {"accounts_failed": 12, "accounts_logged_in": 0, "users": 1, "payments": 0, "at_least": False}

STATE = {
    "triage": "open",
    "snoozed_score": None,
    "verdict": "",
    "enforcement": "none",
    "version": 2,
    "snoozed_until": None,
    "judged_at": None,
    "spared_until": None,
    "enforced_until": None,
    "assignee": None,
}


def _answer(name: str, value: Any, status: str = "200") -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[status])


def _page(row: dict[str, Any]) -> dict[str, Any]:
    return {"next": "https://shop.example.com/api/v1/security/cases/?cursor=WyIz...", "results": [row]}


CASES = [_answer("A page", _page(ONE_CASE))]
EXPORTED = [_answer("One case", ONE_CASE)]
CASE = [_answer("A case", {"case": ONE_CASE, "findings": [], "decisions": [], "stakes": STAKES})]
EVENTS = [_answer("A page", _page(EVENT))]
HISTORY = [
    _answer(
        "A page",
        {
            "next": None,
            "results": [
                {
                    "id": 5,
                    "at": "2026-03-02T12:05:00Z",
                    "action": "assign",
                    "actor": "dana",
                    "reason": "",
                    "batch": BATCH,
                    "undoes": None,
                    "via": "api",
                    "before": STATE,
                    "after": STATE | {"assignee": "7", "version": 3},
                }
            ],
        },
    )
]
TIMELINE = [
    _answer(
        "The first of 24 buckets",
        {
            "period": "24h",
            "step_s": 3600,
            "at_least": False,
            "buckets": [
                {"start": "2026-03-01T13:00:00Z", "counts": {"ok": 2, "4xx": 10, "5xx": 0, "refused": 0}},
            ],
        },
    )
]

ASKED: dict[Action, dict[str, Any]] = {
    Action.ASSIGN: {"assignee": "me"},
    Action.COMMENT: {"reason": "Asked the hoster."},
    Action.SNOOZE: {"until": "2026-03-03T09:00:00Z", "worse": True},
    Action.REOPEN: {},
    Action.JUDGE: {"verdict": "benign", "reason": "Our own monitoring."},
    Action.BLOCK: {"hours": 24, "reason": WHY, "verdict": "malicious"},
    Action.UNBLOCK: {"reason": "A shared office network."},
    Action.ALLOW: {"hours": None, "reason": "Our price comparison partner."},
}


def act(action: Action) -> list[OpenApiExample]:
    return [
        OpenApiExample(action.capitalize(), ASKED[action], request_only=True),
        _answer("Done", {"batch": BATCH, "case": BLOCKED if action is Action.BLOCK else ONE_CASE | {"version": 4}}),
    ]


PARTLY = {
    "batch": BATCH,
    "dry_run": False,
    "done": [{"id": 17, "network": "203.0.113.9", "version": 4}],
    "refused": [
        {
            "id": 18,
            "network": "198.51.100.7",
            "why": "Changed by lee 3 minutes ago (comment): look at it again.",
            "stale": True,
        }
    ],
}
BULK = [
    OpenApiExample(
        "Block two",
        {
            "action": "block",
            "hours": 24,
            "reason": WHY,
            "cases": [{"id": 17, "version": 3}, {"id": 18, "version": 1}],
            "dry_run": False,
        },
        request_only=True,
    ),
    _answer("One of two", PARTLY),
]
UNDO = [_answer("Taken back", PARTLY | {"refused": []})]
