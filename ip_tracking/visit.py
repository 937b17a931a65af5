"""The request in hand: what the door knows and what listeners add while the view runs."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from ip_tracking.client import Client


@dataclass(slots=True)
class Attempt:
    """One `authenticate()`: what it took at the gate, given back unless it failed."""

    quotas: tuple[Any, ...]  # gate.verdict.Quota; the gate is above this module
    account: str = ""
    failed: bool = False


@dataclass(slots=True)
class Visit:
    """One request on its way through the house. The view may run in another thread: it sees this very object."""

    request_id: str
    client: Client
    request: HttpRequest | None = None
    user: str = ""
    account: str = ""  # that a login named; the first that failed, where several did
    signed_in: str = ""  # the account that a login proved
    outcomes: list[str] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    refusal: Any = None  # the Verdict that refused inside the view
    refused_inside: Any = None  # the first Verdict that did, also where the view answered it itself, as GraphQL does
    route: str = ""  # "" where the path leads nowhere
    kind: str = ""
    outcome: str = ""  # the one that counts, of all its outcomes
    exempt: bool = False  # no policy counts it: on the allow-list, or asking for health
    policies: frozenset[str] = frozenset()  # that this request passed, at the door or inside the view
    quotas: tuple[Any, ...] = ()  # what it took, logins apart
    asked: tuple[str, ...] = ()  # the policies of all its passages, call by call
    store_missing: str = ""  # what decided without the store: open, degraded or closed
    logins_refused: int = 0
    shadowed: tuple[str, ...] = ()  # those that would have refused it, were they enforced


current: ContextVar[Visit | None] = ContextVar("ip_tracking_visit", default=None)
