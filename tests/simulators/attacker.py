"""Sends a story to a shop that runs, from a network of its own, as the trusted proxy in front would pass it on."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count
from typing import Any, NamedTuple
from uuid import uuid4

from ip_tracking.gate.policies import SHIPPED, parse_rate
from tests.simulators.request import REGISTER, Request, log_in

# Who has no patience needs accounts: the shipped limits count payments and coupons by customer, so that an account
# does as much as they let through (and of declined cards one less than `card-testing` finds), then the next goes on.
POSTS_PER_ACCOUNT = {"card-testing": 5, "carding": 4, "scalping": 10, "coupon-cracking": 10}

PASSWORD = "a password of theirs"

_numbers = count(1)


class Answer(NamedTuple):
    status: int
    request_id: str
    body: bytes


def send(port: int, network: str, request: Request, token: str = "") -> Answer:
    """On a connection of its own, and byte for byte: no library tidies up what an attacker wrote."""
    headers = {**request.headers, "X-Forwarded-For": network}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if request.method == "POST":
        headers["Content-Type"] = "application/json"
        headers["Idempotency-Key"] = str(uuid4())
    body = json.dumps(request.body) if request.method == "POST" else None
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(request.method, request.target, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers["X-Request-ID"], answer.read())
    finally:
        connection.close()


@dataclass
class Attacker:
    """One network that lives one rule's story."""

    port: int
    network: str
    rule: str
    sent: list[Answer] = field(default_factory=list, repr=False)
    posts: int = 0
    token: str = field(default="", repr=False)

    def prepare(self, story: Sequence[Request]) -> None:
        """What the story takes for given: the accounts it logs in to, a limit that is used up."""
        for request in story:
            if request.outcome == "login_ok":
                _register(self.port, request.body)
        if self.rule == "keeps-hammering":
            for _ in range(parse_rate(SHIPPED["payment"]["rates"][0]).limit):
                self.sent.append(send(self.port, self.network, story[0]))

    def send_all(self, story: Iterable[Request], times_faster: float = math.inf) -> None:
        """At so much of the story's own pace, or as fast as the shop answers."""
        started = time.monotonic()
        for request in story:
            time.sleep(max(0.0, started + request.at_s / times_faster - time.monotonic()))
            self.send(request)

    def send(self, request: Request) -> Answer:
        self._change_account(request)
        answer = send(self.port, self.network, request, self.token)
        self.sent.append(answer)
        # Slugs are made up, so that the shop has no such product: to a crawler's rule, a page all the same.
        assert answer.status == request.status or request.kind == "catalogue", (request, answer)
        return answer

    def _change_account(self, request: Request) -> None:
        each = POSTS_PER_ACCOUNT.get(self.rule)
        if each and request.method == "POST":
            if self.posts % each == 0:
                self.token = _sign_in(self.port)
            self.posts += 1


def _register(port: int, body: Any) -> None:
    """From an address that does nothing else, so that no limit and no rule on registrations is met."""
    email = f"{body['username']}@example.org"
    request = Request(0, REGISTER, method="POST", body={**body, "email": email})
    assert send(port, _home(), request).status == 201


def _sign_in(port: int) -> str:
    """Returns the access token of a customer who is new."""
    body = {"username": f"customer{next(_numbers)}", "password": PASSWORD}
    _register(port, body)
    answer = send(port, _home(), log_in(0, body=body))
    assert answer.status == 200
    return str(json.loads(answer.body)["access"])


def _home() -> str:
    return f"192.0.2.{next(_numbers)}"
