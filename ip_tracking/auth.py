"""Logins pass the gate one by one: JWT, session, admin or any other caller of `authenticate()`.

First in AUTHENTICATION_BACKENDS. It never knows a user: it takes a place under the login policies, or refuses.
"""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.http import HttpRequest

from ip_tracking import device
from ip_tracking.gate import limiter, passage
from ip_tracking.gate.plan import login_plan
from ip_tracking.outcomes import account_key
from ip_tracking.refused import Refused
from ip_tracking.steps import drive
from ip_tracking.visit import Attempt, Visit, current

PATH = "ip_tracking.auth.GateBackend"


class GateBackend:
    """Raises Refused for a login over a limit. Outside a request (a command, a test) it lets everybody pass.

    Not Django's BaseBackend: its `get_user` would make a session that names no backend belong to nobody.
    """

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        visit = current.get()
        if visit is None:
            return
        account = _name_account(visit, credentials)
        if visit.exempt:
            return
        device_id = device.proof(visit.request, account) if visit.request is not None else ""
        ask = limiter.Ask(account=account, device=device_id)
        verdict = drive(passage.admit(visit, "", login_plan(), ask))
        if verdict.refused:
            raise Refused(verdict)
        visit.attempts.append(Attempt(verdict.quotas))

    async def aauthenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        await sync_to_async(self.authenticate)(request, **credentials)


def _name_account(visit: Visit, credentials: dict[str, Any]) -> str:
    """Returns the hash of the account a login names, and notes it for the log."""
    name = credentials.get(get_user_model().USERNAME_FIELD) or credentials.get("username") or credentials.get("email")
    visit.account = account_key(name) if isinstance(name, str) and name else ""
    return visit.account
