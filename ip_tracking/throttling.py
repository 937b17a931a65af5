"""For REST framework: holds callers whom only it can know (by a session, by an API key in a database) at the gate."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from ip_tracking.decorators import named_by, pass_gate
from ip_tracking.gate import limiter, passage
from ip_tracking.gate.plan import plan_named
from ip_tracking.gate.policies import table
from ip_tracking.steps import drive
from ip_tracking.visit import Visit, current

if TYPE_CHECKING:
    # REST framework imports its DEFAULT_THROTTLE_CLASSES, so this module, while that one is only half there.
    from rest_framework.views import APIView


class GateThrottle(BaseThrottle):
    """In `throttle_classes`: the policies of this route by the user REST framework found, and a view's own.

    A view names its own by `limited_by = ["exports"]`. Raises Refused, so that its answer is the gate's.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        visit = current.get()
        if visit is None or visit.exempt:
            return True
        user = str(request.user.pk) if request.user and request.user.is_authenticated else ""
        if user and not visit.user:
            drive(_now_known(visit, user))
        drive(pass_gate(named_by(view), request._request, view.kwargs))
        return True


def _now_known(visit: Visit, user: str) -> Generator[Any, Any, None]:
    """The door took a signed-in caller for a stranger of their network: those places move to their own name."""
    by_caller = frozenset(policy.name for policy in table() if policy.key in ("caller", "user"))
    plan, ask = plan_named(visit.policies & by_caller), limiter.Ask(inside=True)
    verdict = yield from passage.admit(visit, user, plan, ask)
    if verdict.refused:
        raise passage.refusal(visit, verdict)
    moved = [quota for quota in visit.quotas if quota.limit.policy.key == "caller"]
    yield from limiter.give_back(moved)
    visit.user = user
    visit.quotas = (*(quota for quota in visit.quotas if quota not in moved), *verdict.quotas)
