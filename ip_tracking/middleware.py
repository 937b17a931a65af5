"""The door. `visit` reads like the plan; what it yields needs waiting, and the two drivers only wait."""

from __future__ import annotations

import re
import time
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Generator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, get_resolver
from django.utils.functional import empty

from ip_tracking import conf, tasks
from ip_tracking.background import Duty, background
from ip_tracking.client import identify, request_id
from ip_tracking.event import Event, to_us
from ip_tracking.gate import decisions, limiter, responses, store
from ip_tracking.gate.plan import Plan, plan_for
from ip_tracking.gate.policies import HEALTH
from ip_tracking.gate.verdict import BLOCK, PASSED, THROTTLE, Verdict
from ip_tracking.outcomes import is_failure, outcome_of
from ip_tracking.record import buffer
from ip_tracking.record.publish import Publisher
from ip_tracking.record.sender import EVERY_S, Sender
from ip_tracking.record.spool import Spool
from ip_tracking.refused import Refused
from ip_tracking.steps import adrive, drive
from ip_tracking.visit import Visit, current
from metrics import catalogue, emit

GATE_BACKEND = "ip_tracking.auth.GateBackend"

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# What a query holds that must not be kept: the value of anything that is named like a secret.
SECRET = re.compile(
    r"([^&=]*(?:passw|pwd|secret|token|api[_-]?key|auth|session|signature|card|cvc|iban)[^&=]*=)[^&]*", re.IGNORECASE
)

# As much as the rules look at; the log keeps less. What pads a request to hide an exploit behind the cut must be long.
PATH_CHARS, QUERY_CHARS = 1_024, 2_048

# What nginx too logs for a request whose client did not wait for the answer.
CLIENT_LEFT = 499

Response = Any  # Django's response classes share no typed base with async streaming


class View:
    """The step that runs the rest of the house."""

    def __init__(self, get_response: Callable[[HttpRequest], Any], request: HttpRequest) -> None:
        self._get_response = get_response
        self._request = request

    def run(self) -> Response:
        return self._get_response(self._request)

    async def arun(self) -> Response:
        return await self._get_response(self._request)


class SentinelMiddleware:
    """Identify, admit, let the view run, see what came of it, remember. Sync and async by one generator."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        self._logins_at_door = GATE_BACKEND not in django_settings.AUTHENTICATION_BACKENDS
        self._records = conf.get().record != "off"
        if conf.get().background:
            background.register(_duties(), _at_end)

    def __call__(self, request: HttpRequest) -> Response | Awaitable[Response]:
        return adrive(self.visit(request)) if self._is_async else drive(self.visit(request))

    def visit(self, request: HttpRequest) -> Generator[Any, Any, Response]:
        """One request, step by step as in docs/architecture.md."""
        started = time.perf_counter_ns()
        background.ensure_running()
        client = identify(request)
        visit = Visit(request_id(request, client), client)
        route, kind = self._route(request, visit)
        verdict = yield from self._admit(request, visit, route, kind)
        if verdict.refused:
            response, outcome = responses.refusal(request, verdict, visit.request_id), ""
        else:
            token = current.set(visit)
            try:
                response = yield View(self.get_response, request)
            except CancelledError:
                # ASGI: the client left. What it did is remembered; what it took stays taken, or leaving would free it.
                left = outcome_of(visit, kind, CLIENT_LEFT)
                if self._records:
                    self._remember(request, visit, verdict, (route, kind, left), CLIENT_LEFT, started)
                raise
            current.reset(token)
            outcome = outcome_of(visit, kind, response.status_code)
            yield from self._settle(visit, verdict, outcome, response)
            verdict = visit.refusal or verdict
        response["X-Request-ID"] = visit.request_id
        if verdict.refused:
            self._count_refusal(verdict, route)
        if self._records:
            self._remember(request, visit, verdict, (route, kind, outcome), response.status_code, started)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A refusal inside the view (a login's, see ip_tracking.auth) answers like one at the door."""
        if not isinstance(exception, Refused):
            return None
        visit = current.get()
        if visit is None:
            return None
        visit.refusal = exception.verdict
        return responses.refusal(request, exception.verdict, visit.request_id)

    def _route(self, request: HttpRequest, visit: Visit) -> tuple[str, str]:
        match = _resolve(request.path_info)
        if match is None:
            return "", ""
        # Django resolves again for the view; a refused request would else have no route in the metrics.
        request.resolver_match = match
        visit.route = match.view_name
        return match.view_name, conf.get().kinds.get(match.view_name, "")

    def _admit(self, request: HttpRequest, visit: Visit, route: str, kind: str) -> Generator[store.Call, Any, Verdict]:
        if kind == HEALTH:
            return PASSED
        network = visit.client.network
        wide = decisions.find(network)
        visit.user = conf.get().known_caller(request) or ""
        if wide is not None:
            if wide.kind == "allow":
                return PASSED
            if wide.kind == BLOCK or not visit.user:
                return Verdict(wide.kind, _seconds_until(wide.until), (), 0)
        return (yield from limiter.admit(network, visit.user, self._plan(request, route, kind)))

    def _plan(self, request: HttpRequest, route: str, kind: str) -> Plan:
        method = request.method if request.method in METHODS else "OTHER"
        return plan_for(route, kind, method or "OTHER", self._logins_at_door)

    def _settle(
        self, visit: Visit, verdict: Verdict, outcome: str, response: Response
    ) -> Generator[store.Call, Any, None]:
        """Gives back what only failures cost, then tells the caller how their limits stand."""
        back = [] if is_failure(outcome) else [quota for quota in verdict.quotas if quota.limit.returnable]
        quotas = verdict.quotas
        for attempt in visit.attempts:
            if not attempt.failed:
                back += attempt.quotas
            quotas = verdict.quotas + attempt.quotas
        if back:
            yield from limiter.give_back(back)
        if visit.refusal is None:
            responses.add_fields(response, quotas, {quota.key for quota in back} if back else frozenset())

    def _count_refusal(self, verdict: Verdict, route: str) -> None:
        if verdict.refused in {BLOCK, THROTTLE}:
            emit.count(catalogue.BLOCKED, reason=verdict.refused, route=route or "unresolved")
        else:
            emit.count(catalogue.THROTTLED, policy=verdict.refused, route=route or "unresolved")

    def _remember(
        self,
        request: HttpRequest,
        visit: Visit,
        verdict: Verdict,
        place: tuple[str, str, str],
        status: int,
        started: int,
    ) -> None:
        route, kind, outcome = place
        user, staff = _who(request, visit)
        query = request.META.get("QUERY_STRING", "")
        full = buffer.remember(
            Event(
                verdict.now_us or to_us(datetime.now(UTC)),
                visit.request_id,
                visit.client.address,
                visit.client.network,
                (request.method or "")[:16],
                request.path[:PATH_CHARS],
                SECRET.sub(r"\1[redacted]", query[:QUERY_CHARS]) if query else "",
                route,
                kind,
                status,
                (time.perf_counter_ns() - started) // 1_000,
                request.META.get("HTTP_USER_AGENT", "")[:256],
                user,
                staff,
                "" if verdict.refused else outcome,
                visit.account,
                verdict.refused,
            )
        )
        if full:
            background.wake()


def _who(request: HttpRequest, visit: Visit) -> tuple[str, bool]:
    """Returns who it turned out to be, without asking a database: only a user that the view looked up already."""
    user = request.__dict__.get("user")
    if user is None or getattr(user, "_wrapped", None) is empty or not getattr(user, "is_authenticated", False):
        return visit.user, False
    return str(user.pk), bool(getattr(user, "is_staff", False))


@lru_cache(maxsize=4_096)
def _resolve(path: str) -> ResolverMatch | None:
    """Returns the route of a path. Resolving costs as much as a round trip; most paths come again."""
    try:
        return get_resolver().resolve(path)
    except Resolver404:
        return None


def _seconds_until(until: datetime | None) -> int:
    return 3_600 if until is None else max(1, int((until - datetime.now(UTC)).total_seconds()) + 1)


def _duties() -> list[Duty]:
    return [
        Duty("send events", EVERY_S, _sender().flush),
        Duty("refresh decisions", decisions.REFRESH_S, tasks.refresh_decisions),
        Duty("test the store", 1.0, lambda: store.get().probe()),
    ]


@lru_cache(maxsize=1)
def _sender() -> Sender:
    settings = conf.get()
    deliver = tasks.store_now if settings.record == "thread" else Publisher().send
    return Sender(deliver, Spool(settings.spool_dir))


def _at_end() -> None:
    """The process ends: what waits is sent or spooled."""
    _sender().flush(last=True)
    emit.flush()


@conf.on_change
def _forget() -> None:
    _resolve.cache_clear()
    _sender.cache_clear()
