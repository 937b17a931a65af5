"""Logins pass the gate one by one: JWT, session, admin or any other caller of `authenticate()`.

First in AUTHENTICATION_BACKENDS. It never knows a user: it takes a place under the login policies, or refuses.
"""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.http import HttpRequest

from ip_tracking import device
from ip_tracking.gate import limiter, passage
from ip_tracking.gate.plan import login_plan
from ip_tracking.outcomes import LOGIN_FAILED, account_named
from ip_tracking.steps import drive
from ip_tracking.visit import Attempt, current

PATH = "ip_tracking.auth.GateBackend"


def logins_at_door() -> bool:
    """Are logins limited once, by their route? So it is where GateBackend is not installed."""
    return PATH not in django_settings.AUTHENTICATION_BACKENDS


class GateBackend:
    """Raises Refused for a login over a limit. Outside a request (a command, a test) it lets everybody pass.

    Not Django's BaseBackend: its `get_user` would make a session that names no backend belong to nobody.
    """

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        visit = current.get()
        if visit is None:
            return
        account = account_named(credentials)
        # Of several logins in one request the log names the one that failed: a good one must not stand before it.
        if LOGIN_FAILED not in visit.outcomes:
            visit.account = account
        if visit.exempt:
            return
        device_id = device.proof(visit.request, account) if visit.request is not None else ""
        ask = limiter.Ask(account=account, device=device_id)
        verdict = drive(passage.admit(visit, "", login_plan(), ask))
        if verdict.refused:
            visit.logins_refused += 1
            raise passage.refusal(visit, verdict)
        visit.attempts.append(Attempt(verdict.quotas, account))

    async def aauthenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        await sync_to_async(self.authenticate)(request, **credentials)
