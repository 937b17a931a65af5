"""One try to deliver a message, and whether another one makes sense."""

from __future__ import annotations

import logging
import socket
import time
from enum import StrEnum

from ip_tracking import conf
from ip_tracking.webhook.address import Lookup, Unsafe, addresses_of
from ip_tracking.webhook.message import headers_of
from ip_tracking.webhook.post import DEADLINE_S, post
from ip_tracking.webhook.target import BadTarget, target_of

logger = logging.getLogger(__name__)

# Tries grow apart to half a minute: a broker without confirms (Redis) gives what waits for longer to a second worker.
MOST_PAUSE_S = 30
# About a quarter of an hour in all.
MOST_TRIES = 32

# A receiver that is overloaded or slow, besides all of 5xx.
PASSING = (408, 425, 429)


class Outcome(StrEnum):
    SENT = "sent"
    AGAIN = "again"  # nobody there, or a passing error
    REJECTED = "rejected"  # the receiver does not want it, or sends us elsewhere
    UNSAFE = "unsafe"  # the URL leads where we do not go
    OFF = "off"  # the URL was taken out of the settings meanwhile


def deliver(body: str, lookup: Lookup = socket.getaddrinfo, deadline_s: float = DEADLINE_S) -> Outcome:
    settings = conf.get()
    if not settings.webhook_url:
        return Outcome.OFF
    try:
        if not settings.webhook_secret:
            raise BadTarget("there is no WEBHOOK_SECRET to sign it with")
        target = target_of(settings)
        plain = target.scheme == "http"
        addresses = addresses_of(target.host, target.port, settings.webhook_networks, plain=plain, lookup=lookup)
    except (BadTarget, Unsafe) as error:
        logger.error("The webhook was not sent: %s", error)
        return Outcome.UNSAFE
    except OSError as error:
        logger.warning("The webhook's host cannot be looked up: %s", error)
        return Outcome.AGAIN
    headers = headers_of(settings.webhook_secret, int(time.time()), body)
    try:
        status = post(target, addresses, body.encode(), headers, deadline_s)
    except OSError as error:
        logger.warning("The webhook's receiver did not answer: %s", error)
        return Outcome.AGAIN
    return _judged(status)


def pause_s(tries: int) -> int:
    """How long to wait after so many tries."""
    return int(min(2**tries, MOST_PAUSE_S))


def _judged(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome.SENT
    if status >= 500 or status in PASSING:
        return Outcome.AGAIN
    logger.warning("The webhook's receiver answered %s; redirects are not followed.", status)
    return Outcome.REJECTED
