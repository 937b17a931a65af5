"""One answered request, as it travels from the door to the log, the rules and the case.

Also what a line of an access log becomes, so that yesterday's file and today's traffic meet the same rules.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

US = 1_000_000
HOUR_US = 3_600 * US


class Event(NamedTuple):
    """What one request showed. All text came from a client: it is data, never markup."""

    at_us: int  # UTC, microseconds since the epoch, by the store's clock
    request_id: str  # in a replayed log: "<file>:<line>"
    address: str  # the client's own address, canonical text
    network: str  # what is limited, flagged and blocked: an IPv4 address or an IPv6 /64
    method: str = ""
    path: str = ""  # without the query, capped; secrets go before it is sent (ip_tracking.redaction)
    query: str = ""  # capped; so do its secrets
    route: str = ""  # the resolved route's name; "" where no route matched
    kind: str = ""  # what the route is (login, payment, catalogue, health...); "" where unknown
    status: int = 0
    duration_us: int = 0
    user_agent: str = ""
    user: str = ""  # the known caller's id, "" for a stranger
    staff: bool = False
    outcome: str = ""  # what came of it: login_failed, login_ok, payment_declined...
    account: str = ""  # keyed hash of the account a login named
    refused: str = ""  # who refused it: a policy's name, "block" or "throttle"; "" where the view ran
    symptoms: str = ""  # what this one request shows, "name" or "name:signature", separated by spaces
    policies: str = ""  # that were asked, separated by spaces
    shadowed: str = ""  # policies in shadow that would have refused it, separated by spaces
    beyond: int = 0  # entries of the proxies' header past where the walk to the client ended; counted, not logged

    @property
    def at(self) -> datetime:
        return to_datetime(self.at_us)

    @property
    def hour_us(self) -> int:
        """The start of the UTC hour this happened in."""
        return floor_hour(self.at_us)


def floor_hour(at_us: int) -> int:
    return at_us - at_us % HOUR_US


def to_datetime(at_us: int) -> datetime:
    seconds, microseconds = divmod(at_us, US)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)


def to_us(at: datetime) -> int:
    """Exact: float timestamps would lose the last microsecond."""
    return int(at.replace(microsecond=0).timestamp()) * US + at.microsecond
