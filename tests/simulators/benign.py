"""A Monday of a shop whose visitors all mean well: the ground truth of what must be neither flagged nor refused.

Pure and seeded. Nothing here looks at a limit or a rule; where a number comes from is said beside it:
[1] Contentsquare's benchmark of 2022: 22 page views in a session that buys, 348 % more than in others, so about 5.
[2] Chatterjee et al., "pASSWORD tYPOS" (IEEE S&P 2016), at Dropbox: a tenth of failed logins are plain typos, and 3 %
    of all users are turned away over a day for nothing else. So wrong passwords are everyday, and come in a row.
[3] Payment providers take about 10 % declined cards for usual; asked afterwards, 34 % try another card, and half of all
    second and third tries are declined as well.
[4] What is assumed from how such front ends are built: 6 to 12 API calls for a page, within a second or so.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from ip_tracking.event import US, Event, to_us

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR_S = 3_600.0
DAY_S = 24 * HOUR_S

SHOPPERS = 2_000
NATS, CUSTOMERS_OF_NAT = 20, 40  # offices and schools behind one address each
REQUESTS = 200_000  # of a whole day, about

NEWSLETTER_S = 10 * HOUR_S
# A release whose pages ask for what the API does not have.
BROKEN_S = (12 * HOUR_S, 13.5 * HOUR_S)
# A database fails over: everything answers 502 for a minute and a half, and apps try again.
OUTAGE_S = (20 * HOUR_S + 600, 20 * HOUR_S + 690)

APP, BROWSER = "ShopApp/7.3 (iPhone; iOS 26.1)", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0 Safari/537.36"
STYLES, NOUNS = (
    ("nordic", "classic", "urban", "alpine", "coastal"),
    ("desk", "lamp", "rug", "pan", "mug", "boot", "tent"),
)
API = "/api/v1"


class Asked(NamedTuple):
    """One request, and the device that proved an earlier login to the account it names."""

    event: Event
    device: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    network: str
    name: str
    app: bool
    token: bool  # signed in before the visit
    device: str  # "" for one that never signed in here


class Seen(NamedTuple):
    """What one call asks for."""

    route: str
    kind: str
    method: str
    path: str
    status: int = 200
    outcome: str = ""


def day(seed: int, size: float = 1.0) -> list[Asked]:
    """All requests of the day in the order of time. `size` shrinks the crowd, never what one visitor does."""
    draw = random.Random(seed)
    asked = [one for person, start_s in _visits(draw, size) for one in Visit(draw, person, start_s).requests()]
    asked += _machines(draw, size)
    asked.sort(key=lambda one: one.event.at_us)
    return [one._replace(event=one.event._replace(request_id=f"b{n:06d}")) for n, one in enumerate(asked)]


def _visits(draw: random.Random, size: float) -> Iterator[tuple[Person, float]]:
    for number in range(round(SHOPPERS * size)):
        yield _person(draw, _home(draw, number), f"shopper{number}"), _when(draw, lunch=0.25)
    for nat in range(max(1, round(NATS * size))):
        for number in range(CUSTOMERS_OF_NAT):
            # People at work and at school shop in their break.
            yield _person(draw, f"192.0.2.{nat + 1}", f"office{nat}-{number}"), _when(draw, lunch=0.6)


def _home(draw: random.Random, number: int) -> str:
    if draw.random() < 0.4:  # about what large sites see of IPv6
        return f"2001:db8:{number:x}:{draw.randrange(1, 16):x}::/64"
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _person(draw: random.Random, network: str, name: str) -> Person:
    known = draw.random() < 0.5
    return Person(network, name, draw.random() < 0.5, known and draw.random() < 0.6, f"device-{name}" if known else "")


def _when(draw: random.Random, *, lunch: float) -> float:
    """The day of a shop: a peak at lunch, a larger one in the evening, and one after the newsletter."""
    kind = draw.random()
    if kind < 0.15:
        return NEWSLETTER_S + draw.expovariate(1 / 600)
    if kind < 0.15 + lunch * 0.85:
        return draw.gauss(12.6 * HOUR_S, 0.4 * HOUR_S)
    if kind < 0.9:
        return min(max(draw.gauss(20.3 * HOUR_S, 1.3 * HOUR_S), 0), 23.8 * HOUR_S)
    return draw.uniform(7 * HOUR_S, 23.5 * HOUR_S)


class Visit:
    """One hurried visit: page after page, perhaps a login, a coupon, a payment."""

    def __init__(self, draw: random.Random, person: Person, start_s: float) -> None:
        self.draw, self.person, self.at_s = draw, person, start_s
        self.signed_in = person.token
        self.by_newsletter = NEWSLETTER_S <= start_s < NEWSLETTER_S + HOUR_S
        self.buys = draw.random() < 0.05  # 2 to 3 % do on an average day; these came to buy

    def requests(self) -> Iterator[Asked]:
        pages = self._pages()
        logs_in_at = self.draw.randrange(pages) if not self.signed_in and self.draw.random() < 0.35 else None
        if self.signed_in:
            yield from self._call(Seen("shop:token-refresh", "token", "POST", f"{API}/auth/token/refresh/"))
        for page in range(pages):
            yield from self._page()
            if page == logs_in_at:
                yield from self._log_in()
            self.at_s += self.draw.uniform(2, 20)  # hurried: a glance, or a look
        if self.buys:
            yield from self._buy()

    def _pages(self) -> int:
        mean = 22 if self.buys else 6.5  # [1]
        return min(40, 5 + int(self.draw.expovariate(1 / (mean - 4.5))))

    def _page(self) -> Iterator[Asked]:
        slug = self._slug()
        loaded_s = self.at_s
        for _ in range(self.draw.randint(6, 12)):  # [4]
            self.at_s += self.draw.expovariate(8)
            yield from self._call(self._catalogue(slug))
        if BROKEN_S[0] <= loaded_s < BROKEN_S[1]:
            yield from self._call(Seen("", "", "GET", f"{API}/recommendations/", 404))
            yield from self._call(Seen("", "", "GET", f"{API}/products/{slug}/reviews/", 404))

    def _catalogue(self, slug: str) -> Seen:
        kind = self.draw.random()
        if kind < 0.25:
            return Seen("shop:category-list", "catalogue", "GET", f"{API}/categories/")
        if kind < 0.55:
            return Seen("shop:product-list", "catalogue", "GET", f"{API}/products/")
        gone = self.draw.random() < 0.01  # a bookmark, a link in an old mail
        return Seen("shop:product-detail", "catalogue", "GET", f"{API}/products/{slug}/", 404 if gone else 200)

    def _slug(self) -> str:
        return f"{self.draw.choice(STYLES)}-{self.draw.choice(NOUNS)}-{self.draw.randrange(600)}"

    def _log_in(self) -> Iterator[Asked]:
        """[2] One in six fails at first; whoever failed is likely to fail again. After three, a new password."""
        if self.person.app and self.draw.random() < 0.02:
            yield from self._stale_password()
        for attempt in range(5):
            wrong = self.draw.random() < (0.16 if attempt == 0 else 0.4)
            yield from self._call(_login(wrong))
            if not wrong:
                self.signed_in = True
                return
            self.at_s += self.draw.uniform(5, 15)  # reading the refusal, typing again
            if attempt == 2 and self.draw.random() < 0.7:
                yield from self._call(Seen("shop:password-reset", "password-reset", "POST", f"{API}/auth/reset/"))
                self.at_s += self.draw.uniform(60, 240)

    def _stale_password(self) -> Iterator[Asked]:
        """An app with the password of last year tries it three times, each a little later, and asks its owner."""
        for pause_s in (1, 2, 4):
            yield from self._call(_login(wrong=True))
            self.at_s += pause_s
        self.at_s += self.draw.uniform(5, 30)

    def _buy(self) -> Iterator[Asked]:
        if not self.signed_in:
            yield from self._log_in()
        if not self.signed_in:
            register = Seen("shop:register", "registration", "POST", f"{API}/auth/register/", 201)
            yield from self._call(register)
            self.signed_in = True
        if self.draw.random() < (0.7 if self.by_newsletter else 0.3):
            yield from self._try_coupons()
        declined = 0.1  # [3]
        for _ in range(4):
            self.at_s += self.draw.uniform(15, 60)  # a card's number is typed
            refused = self.draw.random() < declined
            yield from self._call(_payment(refused))
            if not refused or self.draw.random() < 0.4:
                return
            declined = 0.5  # [3]

    def _try_coupons(self) -> Iterator[Asked]:
        """The newsletter's code ran out on Sunday: typed, typed again, then that of the month before."""
        for _ in range(self.draw.randint(1, 5)):
            ok = self.draw.random() < 0.3
            path = f"{API}/coupon/"
            yield from self._call(
                Seen("shop:coupon", "coupon", "POST", path, 200 if ok else 404, _result("coupon", ok))
            )
            self.at_s += self.draw.uniform(6, 20)
            if ok:
                return

    def _call(self, seen: Seen) -> Iterator[Asked]:
        """Apps ask again after one, two and four seconds where no answer came, or a bad gateway's."""
        for pause_s in (1, 2, 4, 0):
            down = OUTAGE_S[0] <= self.at_s < OUTAGE_S[1]
            lost = self.person.app and self.draw.random() < 0.01  # a tunnel, a lift: answered, and never heard
            yield self._asked(seen._replace(status=502, outcome="") if down else seen)
            if not (down or lost) or not self.person.app:
                return
            self.at_s += pause_s

    def _asked(self, seen: Seen) -> Asked:
        names_account = seen.kind == "login"
        user = f"u-{self.person.name}" if self.signed_in else ""
        agent = APP if self.person.app else BROWSER
        account = self.person.name if names_account else ""
        duration_us = int(self.draw.lognormvariate(-3.2, 0.6) * US)  # some 40 ms, now and then half a second
        event = _event(seen, self.at_s, self.person.network, agent, duration_us, user=user, account=account)
        return Asked(event, self.person.device if names_account else "")


def _login(wrong: bool) -> Seen:
    return Seen(
        "shop:login",
        "login",
        "POST",
        f"{API}/auth/token/",
        401 if wrong else 200,
        "login_failed" if wrong else "login_ok",
    )


def _payment(declined: bool) -> Seen:
    outcome = "payment_declined" if declined else "payment_ok"
    return Seen("shop:checkout", "payment", "POST", f"{API}/checkout/", 402 if declined else 201, outcome)


def _result(kind: str, ok: bool) -> str:
    return f"{kind}_ok" if ok else f"{kind}_failed"


def _event(seen: Seen, at_s: float, network: str, agent: str, duration_us: int, **fields: str) -> Event:
    return Event(
        at_us=to_us(MONDAY) + int(at_s * US),
        request_id="",
        address=network.replace("::/64", "::1"),
        network=network,
        method=seen.method,
        path=seen.path,
        route=seen.route,
        kind=seen.kind,
        status=seen.status,
        duration_us=duration_us,
        user_agent=agent,
        outcome=seen.outcome,
        **fields,
    )


def _machines(draw: random.Random, size: float) -> Iterator[Asked]:
    """Those that ask by the clock, each from an address of its own."""
    for at_s, network, agent, seen in [*_partners(draw, size), *_monitors(size), *_admin(draw, size), *_crawler(draw)]:
        yield Asked(_event(seen, at_s, network, agent, 30_000))


Ticks = Iterator[tuple[float, str, str, Seen]]


def _partners(draw: random.Random, size: float) -> Ticks:
    """Price comparison: one reads the whole catalogue at night, four a second; one the best sellers each hour, ten."""
    at_s = 3 * HOUR_S
    for number in range(round(6_000 * size)):
        at_s += draw.expovariate(4)
        yield at_s, "203.0.113.10", "PriceCompare/2.1 (+https://prices.example)", _product(number)
    for hour in range(round(24 * size) or 1):
        for number in range(100):
            yield hour * HOUR_S + number / 10, "203.0.113.11", "BestPrice-Feed/1.4", _product(number)


def _product(number: int) -> Seen:
    return Seen("shop:product-detail", "catalogue", "GET", f"{API}/products/nordic-desk-{number}/")


def _monitors(size: float) -> Ticks:
    """Uptime from three places each minute, and a look each hour whether the secrets are closed."""
    agent = "UptimeCheck/3.0"
    for minute in range(round(24 * 60 * size)):
        for place in range(3):
            network, at_s = f"203.0.113.{20 + place}", minute * 60.0 + place
            yield at_s, network, agent, Seen("healthz", "health", "GET", "/healthz")
            yield at_s + 0.2, network, agent, Seen("shop:product-list", "catalogue", "GET", f"{API}/products/")
    for hour in range(24):
        yield hour * HOUR_S + 7, "203.0.113.30", "SecurityPosture/1.0", Seen("", "", "GET", "/.env", 404)


def _admin(draw: random.Random, size: float) -> Ticks:
    """Staff leave the review page open, which asks every five seconds; by a session, so strangers to the door."""
    network = "203.0.113.40"
    yield 8 * HOUR_S - 5, network, BROWSER, Seen("admin:login", "login", "POST", "/admin/login/", 302, "login_ok")
    for tick in range(round(9 * HOUR_S / 5 * size)):
        at_s = 8 * HOUR_S + tick * 5 + draw.uniform(0, 0.1)
        yield (
            at_s,
            network,
            BROWSER,
            Seen("admin:ip_tracking_suspiciousip_changelist", "", "GET", "/admin/ip_tracking/"),
        )


def _crawler(draw: random.Random) -> Ticks:
    """A search engine that remembers the shop of two years ago, and comes back for its pages one by one."""
    at_s, agent = 0.0, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    while at_s < DAY_S - 600:
        at_s += draw.uniform(60, 300)
        old = draw.choice(("blog", "catalog", "magazine", "de", "en", "sale", "brands", "stores"))
        path = f"/{old}/{draw.choice(NOUNS)}-{draw.randrange(99)}/"
        if draw.random() < 0.1:  # it was a WordPress once
            path = f"/wp-content/uploads/2023/{draw.choice(NOUNS)}-{draw.randrange(99)}.jpg"
        yield at_s, "66.249.66.1", agent, Seen("", "", "GET", path, 404)
