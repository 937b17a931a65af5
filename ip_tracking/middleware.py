"""The door. `visit` reads like the plan; what it yields needs waiting, and the two drivers only wait."""

from __future__ import annotations

import logging
import time
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Generator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, get_resolver
from django.utils.functional import empty

from ip_tracking import conf, device, ratelimit, tasks
from ip_tracking.auth import logins_at_door
from ip_tracking.background import Duty, background
from ip_tracking.client import identify, request_id
from ip_tracking.decorators import NO_MARKS, is_free, marks_of
from ip_tracking.event import Event, to_us
from ip_tracking.gate import decisions, limiter, passage, responses, store, switch
from ip_tracking.gate.plan import Plan, plan_for, plan_named
from ip_tracking.gate.policies import HEALTH
from ip_tracking.gate.verdict import ALLOW, BLOCK, CLOSED, PASSED, THROTTLE, Quota, Verdict
from ip_tracking.outcomes import is_failure, outcome_of, sign_ins
from ip_tracking.record import buffer
from ip_tracking.record.publish import Publisher
from ip_tracking.record.sender import EVERY_S, TELL_S, Sender
from ip_tracking.record.spool import Spool
from ip_tracking.redaction import is_secret, without
from ip_tracking.refused import Refused
from ip_tracking.steps import adrive, drive
from ip_tracking.visit import Visit, current
from metrics import catalogue, emit

logger = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

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
        self._logins_at_door = logins_at_door()
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
        visit = Visit(request_id(request, client), client, request)
        place = _place(request.path_info)
        self._note(request, visit, place)
        verdict = yield from self._admit(request, visit, place)
        if verdict.refused:
            response = responses.refusal(request, verdict, visit.request_id)
        else:
            token = current.set(visit)
            try:
                response = yield View(self.get_response, request)
            except CancelledError:
                # ASGI: the client left. What it did is remembered; what it took stays taken, or leaving would free it.
                visit.outcome = outcome_of(visit, request.method or "", CLIENT_LEFT)
                self._count(visit, request.method or "", visit.refusal or verdict)
                if self._records:
                    self._remember(request, visit, place, verdict, CLIENT_LEFT, started)
                raise
            current.reset(token)
            visit.outcome = outcome_of(visit, request.method or "", response.status_code)
            yield from self._settle(request, visit, response)
            verdict = visit.refusal or verdict
        response["X-Request-ID"] = visit.request_id
        self._count(visit, request.method or "", verdict)
        if self._records:
            self._remember(request, visit, place, verdict, response.status_code, started)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A refusal inside the view (a login's, a decorator's, a throttle's) answers like one at the door."""
        visit = current.get()
        if visit is None:
            return None
        verdict = exception.verdict if isinstance(exception, Refused) else ratelimit.verdict_of(exception, visit.route)
        if verdict is None:
            return None
        visit.refusal = verdict
        return responses.refusal(request, verdict, visit.request_id)

    def _note(self, request: HttpRequest, visit: Visit, place: Place) -> None:
        if place.match is None:
            return
        # Django resolves again for the view; a refused request would else have no route in the metrics.
        request.resolver_match = place.match
        visit.route = place.match.view_name
        visit.kind = place.kind

    def _admit(self, request: HttpRequest, visit: Visit, place: Place) -> Generator[store.Call, Any, Verdict]:
        if visit.kind == HEALTH:
            visit.exempt = True
            return PASSED
        visit.user = _known_caller(request)
        wide = decisions.find(visit.client.network)
        visit.exempt = switch.mode() == switch.OFF or (wide is not None and wide.kind == ALLOW)
        if visit.exempt:
            return PASSED
        if wide is not None and (wide.kind == BLOCK or not visit.user):
            return passage.bind(visit, Verdict(wide.kind, _seconds_until(wide.until), (), 0))
        plan = self._plan(place, request.method or "")
        visit.policies = plan.policies
        arguments = place.match.kwargs if place.match is not None else {}
        ask = limiter.Ask(request=request, arguments=arguments) if plan.named else limiter.NOTHING
        verdict = yield from passage.admit(visit, visit.user, plan, ask)
        visit.quotas = verdict.quotas
        return verdict

    def _plan(self, place: Place, method: str) -> Plan:
        method = method if method in METHODS else "OTHER"
        plan = place.plans.get(method)
        if plan is None:
            plan = place.plans[method] = self._plan_anew(place, method)
        return plan

    def _plan_anew(self, place: Place, method: str) -> Plan:
        if place.match is None:
            return plan_for("", "", method, self._logins_at_door)
        view = place.match.func
        if is_free(view):
            return plan_named(NO_MARKS)
        return plan_for(place.match.view_name, place.kind, method, self._logins_at_door, marks_of(view, method))

    def _settle(self, request: HttpRequest, visit: Visit, response: Response) -> Generator[store.Call, Any, None]:
        """Gives back what only failures cost, then tells the caller how their limits stand.

        A request that was refused inside the view leaves every policy as it was, but for logins that failed before.
        """
        quotas: tuple[Quota, ...] = visit.quotas
        if visit.refusal is not None:
            back = list(quotas)
        else:
            back = [] if is_failure(visit.outcome) else [quota for quota in quotas if quota.limit.returnable]
        for attempt in visit.attempts:
            if not attempt.failed:
                back += attempt.quotas
        if back:
            yield from limiter.give_back(back)
        if visit.refusal is not None:
            return
        if visit.attempts:
            quotas += visit.attempts[-1].quotas
        responses.add_fields(response, quotas, {quota.key for quota in back} if back else frozenset())
        if visit.signed_in:
            device.remember(request, response, visit.signed_in)

    def _count(self, visit: Visit, method: str, verdict: Verdict) -> None:
        """A refusal once: by the decision, by the policy, or because the store is away. What is in shadow apart.

        Also one that the view answered itself, as GraphQL does with each of its fields.
        """
        route = visit.route or "unresolved"
        missing = CLOSED if verdict.away else visit.store_missing
        if missing:
            emit.count(catalogue.STORE_MISSING, answer=missing)
        for outcome, number in sign_ins(visit, method, bool(verdict.refused)).items():
            if number:
                emit.count(catalogue.AUTH_ATTEMPTS, number, outcome=outcome)
        if not verdict.refused and visit.refused_inside is not None:
            verdict = visit.refused_inside
        if verdict.refused in {BLOCK, THROTTLE}:
            emit.count(catalogue.BLOCKED, reason=verdict.refused, route=route)
        elif verdict.refused and not verdict.away:
            emit.count(catalogue.THROTTLED, policy=verdict.refused, route=route)
        elif not verdict.refused:
            for policy in dict.fromkeys(visit.shadowed):
                emit.count(catalogue.WOULD_THROTTLE, policy=policy, route=route)

    def _remember(
        self, request: HttpRequest, visit: Visit, place: Place, verdict: Verdict, status: int, started: int
    ) -> None:
        user, staff = _who(request, visit)
        full = buffer.remember(
            Event(
                verdict.now_us or to_us(datetime.now(UTC)),
                visit.request_id,
                visit.client.address,
                visit.client.network,
                (request.method or "")[:16],
                (without(request.path, place.secrets) if place.secrets else request.path)[:PATH_CHARS],
                request.META.get("QUERY_STRING", "")[:QUERY_CHARS],
                visit.route,
                visit.kind,
                status,
                (time.perf_counter_ns() - started) // 1_000,
                request.META.get("HTTP_USER_AGENT", "")[:256],
                user,
                staff,
                "" if verdict.refused else visit.outcome,
                visit.account,
                verdict.refused,
                policies=" ".join(visit.asked),
                shadowed="" if verdict.refused else " ".join(dict.fromkeys(visit.shadowed)),
                beyond=visit.client.beyond,
            )
        )
        if full:
            background.wake()


def _known_caller(request: HttpRequest) -> str:
    """Returns who the project's own function knows, "" where it knows nobody or fails."""
    try:
        return conf.get().known_caller(request) or ""
    except Exception:  # whatever it is, it must not take the shop down
        logger.exception("KNOWN_CALLER failed: the caller is taken for a stranger.")
        return ""


def _who(request: HttpRequest, visit: Visit) -> tuple[str, bool]:
    """Returns who it turned out to be, without asking a database: only a user that the view looked up already."""
    user = request.__dict__.get("user")
    if user is None or getattr(user, "_wrapped", None) is empty or not getattr(user, "is_authenticated", False):
        return visit.user, False
    return str(user.pk), bool(getattr(user, "is_staff", False))


NO_SECRETS: frozenset[str] = frozenset()


class Place(NamedTuple):
    """Where a path leads, and what applies there."""

    match: ResolverMatch | None
    kind: str
    plans: dict[str, Plan]  # by method, as they are asked for
    secrets: frozenset[str] = NO_SECRETS  # of the path: the arguments that the route names like a secret


@lru_cache(maxsize=4_096)
def _place(path: str) -> Place:
    """Resolving costs as much as a round trip; most paths come again."""
    try:
        match = get_resolver().resolve(path)
    except Resolver404:
        return Place(None, "", {})
    secrets = frozenset(str(value) for name, value in match.kwargs.items() if is_secret(name))
    return Place(match, conf.get().kinds.get(match.view_name, ""), {}, secrets)


def _seconds_until(until: datetime | None) -> int:
    return 3_600 if until is None else max(1, int((until - datetime.now(UTC)).total_seconds()) + 1)


def _duties() -> list[Duty]:
    return [
        Duty("send events", EVERY_S, _sender().flush),
        Duty("refresh decisions", decisions.REFRESH_S, tasks.refresh_decisions),
        Duty("tell what waits", TELL_S, _sender().tell),
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
    _place.cache_clear()
    _sender.cache_clear()
