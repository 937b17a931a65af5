"""One request of a story, as it can be sent to a server, and as the log would keep it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat

from ip_tracking.detection.pages import as_page, is_page, is_unled
from ip_tracking.detection.symptoms import symptoms_of
from ip_tracking.event import US, Event

START_US = 1_760_011_200 * US  # 2025-10-09 12:00:00 UTC
NETWORK = "203.0.113.9"

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)

LOGIN, CHECKOUT, PRODUCTS = "/api/v1/auth/token/", "/api/v1/checkout/", "/api/v1/products/"
CART, COUPON, REGISTER = "/api/v1/cart/items/", "/api/v1/cart/coupon/", "/api/v1/register/"


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sends, and what a shop makes of it."""

    at_s: float
    path: str = "/"
    query: str = ""
    method: str = "GET"
    agent: str = CHROME
    body: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    route: str = ""
    kind: str = ""
    outcome: str = ""
    account: str = ""
    user: str = ""
    refused: str = ""
    referer: str = ""  # as a log has it: "-" for none, "" for a log that does not say
    tells: bool = True  # whether the rule of its story counts it

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def headers(self) -> dict[str, str]:
        return {"User-Agent": self.agent} if self.agent else {}

    def event(self, number: int, network: str = NETWORK, start_us: int = START_US) -> Event:
        return Event(
            start_us + round(self.at_s * US),
            f"{network}-{number}",
            network,
            network,
            **{name: getattr(self, name) for name in _SHARED},
            user_agent=self.agent,
        )


_SHARED = ("method", "path", "query", "route", "kind", "status", "outcome", "account", "user", "refused")

Story = Callable[[random.Random], Iterator[Request]]

# Parts that stories are told with. A `tells=False` is a request that the rule does not count.
product = partial(Request, route="shop:product-detail", kind="catalogue")
log_in = partial(Request, path=LOGIN, method="POST", route="shop:login", kind="login")
fail_login = partial(log_in, status=401, outcome="login_failed")
pay = partial(Request, path=CHECKOUT, method="POST", route="shop:checkout", kind="payment", status=201)
add = partial(Request, path=CART, method="POST", route="shop:cart-items", kind="cart", status=201)
try_coupon = partial(Request, path=COUPON, method="POST", route="shop:coupon", kind="coupon")
register = partial(Request, path=REGISTER, method="POST", route="shop:register", kind="registration", status=201)


def events(requests: Iterable[Request], network: str = NETWORK, start_us: int = START_US) -> list[Event]:
    return [request.event(number, network, start_us) for number, request in enumerate(requests)]


def looked_at(of: Iterable[Event], referers: Iterable[str] = repeat("")) -> list[Event]:
    """The events as rules count them: with their symptoms, and pages said to be pages."""
    kept = (
        (event._replace(symptoms=symptoms_of(event)), referer) for event, referer in zip(of, referers, strict=False)
    )
    return [as_page(event, unled=is_unled(event, referer)) if is_page(event) else event for event, referer in kept]


def word(chance: random.Random, letters: str = "abcdefghijklmnopqrstuvwxyz", least: int = 5, most: int = 9) -> str:
    return "".join(chance.choices(letters, k=chance.randint(least, most)))
