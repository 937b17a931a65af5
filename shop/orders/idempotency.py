"""The same request twice is one request: Idempotency-Key, as draft-ietf-httpapi-idempotency-key-header-07 has it.

The same key with the same request is answered as the first was; with another request it is refused; while the first is
still under way it is refused for now. What was left without an outcome (a payment that timed out, a process that died)
is gone on with by the next request under the key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.crypto import salted_hmac

from shop.accounts.models import User
from shop.orders.models import KeyedRequest, Payment

KEPT = timedelta(hours=24)
# A web server gives a request up after 30 seconds, so nobody is still at work on it by then.
LOCKED = timedelta(seconds=60)

# A UUID has 36 characters; what a database could not hold, or a log not show, is no key.
KEY = re.compile(r"[\x21-\x7e]{8,200}")


class BadKey(Exception):
    """The key is missing, or is not 8 to 200 visible ASCII characters."""


class KeyReused(Exception):
    """The key was used for another request."""


class InProgress(Exception):
    """The first request under this key is not done yet."""


@dataclass(frozen=True)
class Answer:
    """`body` is JSON. One that is not `final` is not kept: the next request under the key goes on."""

    status: int
    body: dict[str, Any]
    final: bool = True
    replayed: bool = False


def parse(header: str | None) -> str:
    """Returns the key, which may stand in quotes as the draft writes it; raises BadKey."""
    key = (header or "").strip().removeprefix('"').removesuffix('"')
    if not KEY.fullmatch(key):
        raise BadKey
    return key


# `Any`: a request's JSON.
def fingerprint(operation: str, asked: Any) -> str:
    """Keyed: a plain hash of a body would give its card number to whoever tries them all."""
    return _hash("request", json.dumps([operation, asked], sort_keys=True))


def once(customer: User, key: str, request: str, now: datetime, run: Callable[[KeyedRequest], Answer]) -> Answer:
    """Returns what `run` answers, or what it answered before; `request` is the fingerprint.

    `run` is handed the row to `link` what it begins to; where that has a payment, the first request got so far.
    """
    keyed = _claim(customer, key, request, now)
    if keyed.status is not None:
        return Answer(keyed.status, keyed.body or {}, replayed=True)
    mine = KeyedRequest.objects.filter(pk=keyed.pk, locked_until=keyed.locked_until)
    try:
        answer = run(keyed)
    except BaseException:
        mine.update(locked_until=None)
        raise
    kept = {"status": answer.status, "body": answer.body} if answer.final else {}
    mine.update(locked_until=None, **kept)
    return answer


def link(keyed: KeyedRequest, payment: Payment) -> None:
    """Within the transaction that begins the payment; raises InProgress where another was faster, which undoes it.

    So one key begins one payment even if a request came to life again after its lock had run out.
    """
    if not KeyedRequest.objects.filter(pk=keyed.pk, payment=None).update(payment=payment):
        raise InProgress


def remove_old(now: datetime) -> int:
    return KeyedRequest.objects.filter(created_at__lte=now - KEPT).delete()[0]


def _claim(customer: User, key: str, request: str, now: datetime) -> KeyedRequest:
    key_hash = _hash("key", key)
    KeyedRequest.objects.filter(customer=customer, key_hash=key_hash, created_at__lte=now - KEPT).delete()
    keyed, is_new = KeyedRequest.objects.get_or_create(
        customer=customer,
        key_hash=key_hash,
        defaults={"fingerprint": request, "created_at": now, "locked_until": now + LOCKED},
    )
    if keyed.fingerprint != request:
        raise KeyReused
    if not is_new and keyed.status is None:
        _take_over(keyed, now)
    return keyed


def _take_over(keyed: KeyedRequest, now: datetime) -> None:
    """Goes on where nobody is at work. The condition holds what was read, so that one of many gets it."""
    if keyed.locked_until is not None and keyed.locked_until > now:
        raise InProgress
    as_read = KeyedRequest.objects.filter(pk=keyed.pk, status=None, locked_until=keyed.locked_until)
    if not as_read.update(locked_until=now + LOCKED):
        raise InProgress
    keyed.refresh_from_db()


def _hash(what: str, text: str) -> str:
    return salted_hmac(f"shop.orders.idempotency.{what}", text, algorithm="sha256").hexdigest()
