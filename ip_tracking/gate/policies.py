"""MAY they pass? The policies: how many, of what, counted by what. Data from settings, checked once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, fields
from typing import Any, Literal

from ip_tracking import conf
from ip_tracking.conf import BadSetting
from ip_tracking.event import US
from ip_tracking.gate.keys import OF_LOGIN, OWN, Reader, name_of, reader_of

NAME_CHARS = 40
NAME = re.compile(rf"[a-z][a-z0-9-]{{0,{NAME_CHARS - 1}}}")
RATE = re.compile(r"(?P<limit>[1-9][0-9]{0,8})/(?P<times>[1-9][0-9]{0,4})?(?P<unit>[smhd])")
UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

# Up to here each request is counted by itself; above, a slot gathers what follows within a sixteenth of the window:
# at most 18 slots of 20 bytes whatever the limit, and a place is free again at most 6 % late.
COUNTED_ONE_BY_ONE = 16
GATHER_SHARE = 16

LOGIN = "login"
HEALTH = "health"
GRAPHQL = "graphql"  # refused in GraphQL's own shape

# In `routes`: every route, and what resolves to none.
EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` in any `window_s` seconds."""

    limit: int
    window_s: int

    def __str__(self) -> str:
        unit, seconds = next((unit, s) for unit, s in reversed(UNIT_S.items()) if self.window_s % s == 0)
        times = self.window_s // seconds
        return f"{self.limit}/{times if times > 1 else ''}{unit}"

    @property
    def window_us(self) -> int:
        return self.window_s * US

    @property
    def gather_us(self) -> int:
        return 0 if self.limit <= COUNTED_ONE_BY_ONE else self.window_us // GATHER_SHARE

    @property
    def published_window_s(self) -> int:
        """The window a client can rely on: gathering may keep a place taken a little longer than the window."""
        return -(-(self.window_us + self.gather_us) // US)


@dataclass(frozen=True, slots=True)
class Policy:
    """One row of the table of limits. Covers its kinds and routes ("*": everything), and views marked by @limited."""

    name: str
    rates: tuple[Rate, ...]
    why: str
    kinds: frozenset[str] = frozenset()
    routes: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    key: str = "caller"  # see KEYS
    read: Reader | None = None  # derived from key: the values of a request that it counts by
    counts: Literal["all", "failures"] = "all"
    cost: int = 1
    mode: Literal["enforce", "shadow", "off"] = "enforce"
    store_away: Literal["open", "degraded", "closed"] = "open"

    def covers(self, route: str, kind: str, method: str, marks: Set[str] = frozenset()) -> bool:
        """`marks`: the policies that the view names itself (@limited)."""
        named = EVERYTHING in self.routes or kind in self.kinds or route in self.routes or self.name in marks
        return named and self.takes(method)

    def takes(self, method: str) -> bool:
        return not self.methods or method in self.methods

    def name_of(self, rate: Rate) -> str:
        """The name of one of its limits, to the client and in the store."""
        return self.name if len(self.rates) == 1 else f"{self.name}-{rate.window_s}s"

    @property
    def is_login(self) -> bool:
        """Login policies are passed by each `authenticate()` (ip_tracking.auth), not once at the door."""
        return LOGIN in self.kinds

    @property
    def is_told(self) -> bool:
        """May the caller read what is left? Only of their own: what is left of a victim's tells on the victim."""
        return self.mode == "enforce" and self.key in OWN


# What a policy can count by, for the docs.
KEYS = {
    "network": "the client's network, whoever is signed in",
    "caller": "the known user, else the network",
    "user": "the known user; strangers are not counted",
    "account": "the account that a login names, from wherever it is named",
    "device": "a device that proved an earlier good login to this account (its cookie): it stands in for `account`",
    "url:NAME": "an argument of the route, else a value of the query, such as `url:sku`",
    "body:NAME": "a value of the JSON or form body, such as `body:coupon` or `body:items.sku`",
    "a function": "or its dotted path: request → text or `None`, without I/O",
}


# The shipped table. A project's IP_TRACKING["POLICIES"] goes over it by name; None drops a row.
SHIPPED: dict[str, dict[str, Any]] = {
    "site": {
        "rates": ["1200/m"],
        "routes": ["*"],
        "key": "caller",
        "why": "Forty people behind one office address browse hurriedly at about 800 a minute; a scraper wants more.",
    },
    "login": {
        "rates": ["10/m"],
        "kinds": ["login"],
        "key": "network",
        "counts": "failures",
        "store_away": "degraded",
        "why": "People mistype three or four times; ten wrong passwords a minute are a machine's.",
    },
    "login-hourly": {
        "rates": ["60/h"],
        "kinds": ["login"],
        "key": "network",
        "counts": "failures",
        "store_away": "degraded",
        "why": "An office of forty forgets perhaps twenty passwords on a Monday; sixty an hour is patient guessing.",
    },
    "login-account": {
        "rates": ["20/15m"],
        "kinds": ["login"],
        "key": "account",
        "counts": "failures",
        "why": "One account guessed from many addresses. Whoever signed in before from their device is not bound.",
    },
    "login-device": {
        "rates": ["10/h"],
        "kinds": ["login"],
        "key": "device",
        "counts": "failures",
        "why": "A device that was signed in before guesses a few times; a stolen one must not guess for ever.",
    },
    "payment": {
        "rates": ["20/m"],
        "kinds": ["payment"],
        "key": "caller",
        "store_away": "degraded",
        "why": "Nobody pays twenty times a minute; a card tester does.",
    },
    "payment-declines": {
        "rates": ["5/10m"],
        "kinds": ["payment"],
        "key": "caller",
        "counts": "failures",
        "store_away": "degraded",
        "why": "A buyer tries a second card, perhaps a third; stolen cards are tried by the dozen.",
    },
    "coupon": {
        "rates": ["10/10m"],
        "kinds": ["coupon"],
        "key": "caller",
        "counts": "failures",
        "store_away": "degraded",
        "why": "A code is mistyped twice or thrice, and an old newsletter's is tried; guessing takes hundreds.",
    },
    "registration": {
        "rates": ["10/h"],
        "kinds": ["registration"],
        "key": "network",
        "store_away": "degraded",
        "why": "A classroom signs up together once; ten accounts an hour from one address, every hour, are for sale.",
    },
    "password-reset": {
        "rates": ["10/h"],
        "kinds": ["password-reset"],
        "key": "network",
        "store_away": "degraded",
        "why": "An office forgets ten passwords on a Monday morning; more mails an hour are somebody else's inboxes.",
    },
    "confirmation": {
        "rates": ["60/h"],
        "kinds": ["confirmation"],
        "key": "network",
        "store_away": "degraded",
        "why": "Ten sign-ups and ten resets an hour, each link pressed up to three times; a signed link is no guess.",
    },
    "token": {
        "rates": ["120/m"],
        "kinds": ["token"],
        "key": "network",
        "why": "Forty people's hundred tabs renew together when their network is back, then not for a quarter hour.",
    },
    "cart": {
        "rates": ["120/m"],
        "kinds": ["cart"],
        "methods": ["POST", "PUT", "PATCH", "DELETE"],
        "key": "caller",
        "why": "Forty people press at once when a sale opens, then plus and minus; reading a cart is not counted.",
    },
    "catalogue": {
        "rates": ["15000/h"],
        "kinds": ["catalogue"],
        "key": "caller",
        "why": "Forty people, two pages a minute, three requests a page: 14,400 an hour. More is a copy of the shop.",
    },
    "graphql": {
        "rates": ["15000/h"],
        "kinds": ["graphql"],
        "key": "caller",
        "why": "One address takes every question: as many as pages of the catalogue.",
    },
}

CHOICES: dict[str, tuple[str, ...]] = {
    "counts": ("all", "failures"),
    "mode": ("enforce", "shadow", "off"),
    "store_away": ("open", "degraded", "closed"),
}
SETS = ("kinds", "routes", "methods")
DERIVED = {"name", "read"}


def parse_rate(text: object) -> Rate:
    """Reads "100/m" or "10/30s"; raises BadSetting for anything else."""
    match = RATE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise BadSetting(f'rate {text!r} is not a number per time; write "100/m", "10/30s", "1000/h" or "5000/d"')
    return Rate(int(match["limit"]), int(match["times"] or 1) * UNIT_S[match["unit"]])


def parse_policy(name: str, row: Mapping[str, Any]) -> Policy:
    """Reads one row of the table; raises BadSetting saying what is wrong and what to write."""
    if not isinstance(row, Mapping):
        raise BadSetting(f"policy {name!r} is {row!r}; write a dictionary of its fields, or None to drop a shipped one")
    known = {field.name for field in fields(Policy)} - DERIVED
    if not NAME.fullmatch(name):
        raise BadSetting(f"policy name {name!r} must be lower-case letters, digits and hyphens, starting with a letter")
    for key in row:
        if key not in known:
            raise BadSetting(f"policy {name!r} has no field {key!r}; its fields are {', '.join(sorted(known))}")
    values: dict[str, Any] = dict(row)
    if not values.get("why"):
        raise BadSetting(f'policy {name!r} does not say why; write "why": "the reason for this number"')
    for key, allowed in CHOICES.items():
        if key in values and values[key] not in allowed:
            raise BadSetting(f"policy {name!r}: {key} is {values[key]!r}; write one of {', '.join(allowed)}")
    for key in SETS:
        values[key] = _names(name, key, values.get(key, ()))
    values["rates"] = _rates(name, values.get("rates"))
    values |= _key(name, values.get("key", "caller"))
    policy = Policy(name=name, **values)
    _refuse_impossible(policy)
    return policy


def _names(policy: str, key: str, value: object) -> frozenset[str]:
    if isinstance(value, str) or not isinstance(value, (list, tuple, set, frozenset)):
        raise BadSetting(f"policy {policy!r}: {key} is {value!r}; write a list of names")
    return frozenset(value)


def _rates(policy: str, value: object) -> tuple[Rate, ...]:
    if isinstance(value, str) or not isinstance(value, (list, tuple)) or not value:
        raise BadSetting(f'policy {policy!r}: rates is {value!r}; write a list such as ["100/m"]')
    try:
        return tuple(parse_rate(rate) for rate in value)
    except BadSetting as error:
        raise BadSetting(f"policy {policy!r}: {error}") from error


def _key(policy: str, value: object) -> dict[str, Any]:
    try:
        return {"key": name_of(value), "read": reader_of(value)}
    except BadSetting as error:
        raise BadSetting(f"policy {policy!r}: {error}") from error


def _refuse_impossible(policy: Policy) -> None:
    smallest = min(rate.limit for rate in policy.rates)
    if not isinstance(policy.cost, int) or not 1 <= policy.cost <= smallest:
        raise BadSetting(
            f"policy {policy.name!r}: cost {policy.cost!r} must be from 1 to its smallest limit, {smallest}"
        )
    if policy.key in OF_LOGIN and not policy.is_login:
        raise BadSetting(
            f'policy {policy.name!r} counts by {policy.key}, which only a login names; add "login" to its kinds'
        )
    if policy.is_login and policy.read is not None:
        raise BadSetting(
            f"policy {policy.name!r} counts logins by {policy.key}; each authenticate() knows network, account, device"
        )
    if len({rate.window_s for rate in policy.rates}) < len(policy.rates):
        raise BadSetting(f"policy {policy.name!r} has two rates over the same window; keep the smaller")


_table: tuple[Policy, ...] | None = None


def table() -> tuple[Policy, ...]:
    """Returns the policies in force, in order; raises BadSetting, which a system check reports first."""
    global _table  # noqa: PLW0603 - the one memo of this module
    if _table is None:
        _table = table_of(rows(conf.get().policies))
    return _table


def table_of(named: Mapping[str, Any]) -> tuple[Policy, ...]:
    """Returns the policies of these rows, without those that are off; raises BadSetting."""
    policies = [parse_policy(name, row) for name, row in named.items()]
    _refuse_one_name_for_two(policies)
    return tuple(policy for policy in policies if policy.mode != "off")


def _refuse_one_name_for_two(policies: list[Policy]) -> None:
    """A policy of several rates is told and counted as name-60s, name-3600s: another must not be called that."""
    owners: dict[str, str] = {}
    for policy in policies:
        for rate in policy.rates:
            other = owners.setdefault(policy.name_of(rate), policy.name)
            if other != policy.name:
                raise BadSetting(
                    f"policies {other!r} and {policy.name!r} would both be told and counted as "
                    f"{policy.name_of(rate)!r}; rename one"
                )


def rows(given: Mapping[str, Any], base: Mapping[str, Any] = SHIPPED) -> dict[str, Any]:
    """Returns the shipped rows (or others) with a project's over them: by name, field by field; None drops a row."""
    merged = {name: _over(base.get(name, {}), row) for name, row in {**base, **given}.items()}
    return {name: row for name, row in merged.items() if row is not None}


def _over(shipped: Mapping[str, Any], row: Any) -> Any:
    return {**shipped, **row} if isinstance(row, Mapping) else row


@conf.on_change
def _forget() -> None:
    global _table  # noqa: PLW0603
    _table = None
