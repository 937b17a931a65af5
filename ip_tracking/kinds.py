"""For code inside a view that learns only there what was asked for: a field of a GraphQL document, say.

`pass_as("coupon", request)` is what the door does with a route of that kind.
"""

from __future__ import annotations

from django.http import HttpRequest

from ip_tracking.gate import limiter, passage
from ip_tracking.gate.plan import plan_named
from ip_tracking.gate.policies import LOGIN, table
from ip_tracking.outcomes import FAILED_STATUSES
from ip_tracking.steps import drive
from ip_tracking.visit import current


def pass_as(kind: str, request: HttpRequest) -> None:
    """Takes a place under each policy of this kind; raises Refused. As often as it is called, so often it counts.

    Logins are left to GateBackend, which each of them passes anyway. The log names the request by the kind, but where
    the status would then say how it ended: GraphQL answers 200 to everything, so that only signals can.
    """
    visit = current.get()
    if visit is None:
        return
    if kind not in FAILED_STATUSES:
        visit.kind = kind
    if visit.exempt or kind == LOGIN:
        return
    plan = plan_named(frozenset(policy.name for policy in table() if kind in policy.kinds), request.method or "")
    if not plan.policies:
        return
    verdict = drive(passage.admit(visit, visit.user, plan, limiter.Ask(inside=True, request=request)))
    if verdict.refused:
        raise passage.refusal(visit, verdict)
    visit.policies |= plan.policies
    visit.quotas += verdict.quotas
