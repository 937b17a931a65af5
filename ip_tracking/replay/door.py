"""The door of one table of policies, for requests that happened: the gate's own plans, script and order."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterable
from io import BytesIO
from itertools import count
from typing import Any, NamedTuple

from django.core.handlers.wsgi import WSGIRequest
from django.urls import Resolver404, resolve

from ip_tracking.event import Event
from ip_tracking.gate import limiter
from ip_tracking.gate.limiter import Ask
from ip_tracking.gate.plan import Plan, at_door, plan_of
from ip_tracking.gate.policies import Policy
from ip_tracking.gate.store import Call
from ip_tracking.gate.verdict import Quota
from ip_tracking.outcomes import LOGIN_FAILED, LOGIN_OK, is_failure

# What the store answers to a Call.
Reply = Any


class House(NamedTuple):
    """What only the living door knows, which is above this module."""

    # route, method -> the policies that its view names; None for a view that no policy counts
    marks: Callable[[str, str], frozenset[str] | None]
    methods: frozenset[str]  # the others are all "OTHER"
    logins_at_door: bool  # no GateBackend counts each login by itself


class Door:
    """Asks as the living door does, with the time of the event for the clock.

    What the living door gives back when the view is done is given back when it was done then.
    """

    def __init__(self, policies: Iterable[Policy], house: House) -> None:
        self._policies = tuple(policies)
        self._house = house
        self._logins = plan_of([policy for policy in self._policies if policy.is_login])
        self._plans: dict[tuple[str, str, str], Plan] = {}
        self._due: list[tuple[int, int, list[Quota]]] = []  # what is to be given back: when, which, the places
        self._number = count()

    def refuses(self, event: Event) -> Generator[Call, Reply, str]:
        """Returns the policy that refuses this request, "" where it passes."""
        yield from self._give_back_until(event.at_us)
        plan = self._plan(event)
        verdict = yield from limiter.admit(event.network, event.user, plan, ask=_ask(event, plan), now_us=event.at_us)
        if verdict.refused:
            return verdict.refused
        back = [] if _failed(event) else [quota for quota in verdict.quotas if quota.limit.returnable]
        if _is_login(event) and not self._house.logins_at_door:
            ask = NOTHING._replace(account=event.account)
            login = yield from limiter.admit(event.network, "", self._logins, ask=ask, now_us=event.at_us)
            if login.refused:
                yield from limiter.give_back(verdict.quotas)
                return login.refused
            back += () if _login_failed(event) else login.quotas
        if back:
            heapq.heappush(self._due, (event.at_us + event.duration_us, next(self._number), back))
        return ""

    def _give_back_until(self, now_us: int) -> Generator[Call, Reply, None]:
        while self._due and self._due[0][0] <= now_us:
            _, _, quotas = heapq.heappop(self._due)
            yield from limiter.give_back(quotas)

    def _plan(self, event: Event) -> Plan:
        method = event.method if event.method in self._house.methods else "OTHER"
        key = event.route, event.kind, method
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = plan_of(self._at_door(*key))
        return plan

    def _at_door(self, route: str, kind: str, method: str) -> list[Policy]:
        marks = self._house.marks(route, method)
        if marks is None:
            return []
        return at_door(self._policies, route, kind, method, self._house.logins_at_door, marks)


# No decision stands where a replay counts: like a view, it asks for none.
NOTHING = Ask(inside=True)


def _ask(event: Event, plan: Plan) -> Ask:
    """For policies that count by a value of the URL: a request with the query that the log kept."""
    if not plan.named:
        return NOTHING
    # Not QueryDict(query): a request reads its query when it is asked, where the gate expects what cannot be read.
    request = WSGIRequest({"REQUEST_METHOD": "GET", "QUERY_STRING": event.query, "wsgi.input": BytesIO()})
    try:
        arguments = resolve(event.path).kwargs
    except Resolver404:  # the route is gone, or its path was cut
        arguments = {}
    return NOTHING._replace(request=request, arguments=arguments)


def _failed(event: Event) -> bool:
    """What was refused then did not reach its view; nearly all of it would have gone on failing, so that it counts."""
    return bool(event.refused) or is_failure(event.outcome)


def _is_login(event: Event) -> bool:
    return bool(event.account) or event.outcome in (LOGIN_OK, LOGIN_FAILED)


def _login_failed(event: Event) -> bool:
    return bool(event.refused) or event.outcome == LOGIN_FAILED
