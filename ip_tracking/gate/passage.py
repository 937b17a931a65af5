"""One passage of the gate within a request: at the door, at a login, at a view's own limit."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ip_tracking.gate import limiter, switch
from ip_tracking.gate.plan import Plan
from ip_tracking.gate.problem import extensions_of
from ip_tracking.gate.store import Call
from ip_tracking.gate.verdict import Verdict, graver
from ip_tracking.refused import Refused
from ip_tracking.visit import Visit


def admit(visit: Visit, user: str, plan: Plan, ask: limiter.Ask = limiter.NOTHING) -> Generator[Call, Any, Verdict]:
    """Takes a place under every limit of the plan, or none."""
    verdict = yield from limiter.admit(visit.client.network, user, plan, ask=ask)
    return bind(visit, verdict)


def bind(visit: Visit, verdict: Verdict) -> Verdict:
    """Returns the verdict as the switch lets it bind; notes on the visit what was asked and what would refuse."""
    verdict = switch.bind(verdict)
    visit.asked += verdict.asked
    visit.shadowed += verdict.shadowed
    if verdict.missing:
        visit.store_missing = graver(visit.store_missing, verdict.missing)
    return verdict


def refusal(visit: Visit, verdict: Verdict) -> Refused:
    """Returns what code inside a view raises; the visit keeps it, for where it never comes back to the door."""
    visit.refused_inside = visit.refused_inside or verdict
    return Refused(verdict, extensions_of(verdict, visit.request_id))
