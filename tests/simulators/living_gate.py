"""What the gate says to simulated requests: its own plans and script on the real store, with the clock passed in."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import count

from ip_tracking.event import Event
from ip_tracking.gate import limiter
from ip_tracking.gate.limiter import Ask
from ip_tracking.gate.plan import login_plan, plan_for
from ip_tracking.gate.policies import HEALTH, LOGIN
from ip_tracking.gate.verdict import Quota
from ip_tracking.outcomes import is_failure
from ip_tracking.steps import drive
from tests.simulators.benign import Asked


def refusals(requests: Iterable[Asked]) -> Iterator[str]:
    """For each request in the order of time, the policy that refuses it or "".

    As door and login do: a place under every limit when it comes; what only failures cost is given back when its view
    is done. A health check meets no limit.
    """
    due: list[tuple[int, int, list[Quota]]] = []
    number = count()
    for event, device in requests:
        while due and due[0][0] <= event.at_us:
            drive(limiter.give_back(heapq.heappop(due)[2]))
        refused, back = _ask(event, device) if event.kind != HEALTH else ("", [])
        if back:
            heapq.heappush(due, (event.at_us + event.duration_us, next(number), back))
        yield refused


def _ask(event: Event, device: str) -> tuple[str, list[Quota]]:
    plan = plan_for(event.route, event.kind, event.method, False)
    door = drive(limiter.admit(event.network, event.user, plan, now_us=event.at_us))
    good = not is_failure(event.outcome)
    back = [quota for quota in door.quotas if quota.limit.returnable and good]
    if door.refused or event.kind != LOGIN:
        return door.refused, [] if door.refused else back
    ask = Ask(account=event.account, device=device, inside=True)
    login = drive(limiter.admit(event.network, "", login_plan(), ask=ask, now_us=event.at_us))
    if login.refused:
        drive(limiter.give_back(door.quotas))
        return login.refused, []
    return "", back + list(login.quotas if good else ())
