"""What tests of accounts share: a caller, and mails that are sent at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from celery import Celery
from celery.contrib.testing.app import setup_default_app
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from shop.accounts import tasks  # noqa: F401 - what is first imported under the idle app below, no app knows
from shop.accounts.models import User

API = "/api/v1"


def post(client: Client, path: str, **body: Any) -> HttpResponse:
    return client.post(f"{API}{path}", body, content_type="application/json")


def patch(client: Client, path: str, **body: Any) -> HttpResponse:
    return client.patch(f"{API}{path}", body, content_type="application/json")


def as_user(user: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {AccessToken.for_user(user)}"})


def log_in(username: str, password: str) -> Any:
    """Returns the pair of tokens."""
    answer = post(Client(), "/auth/token/", username=username, password=password)
    assert answer.status_code == 200, answer.content
    return answer.json()


def token_in_mail() -> str:
    """Returns what the link of the last mail proves."""
    found = re.search(r"#token=(\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def pointers(answer: HttpResponse) -> list[str]:
    assert answer["Content-Type"] == "application/problem+json"
    return [error["pointer"] for error in answer.json()["errors"]]


@contextmanager
def without_workers(broker: str = "memory://") -> Iterator[None]:
    """Tasks are asked for, and nobody does them; at a broker of port 1, nobody can even be asked."""
    # Celery asks the environment first, where the run's own broker stands.
    idle = Celery("idle", set_as_current=False)  # else it would stay the current one after this
    with mock.patch.dict(os.environ, CELERY_BROKER_URL=broker), setup_default_app(idle):
        idle.set_current()
        yield
