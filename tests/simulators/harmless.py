"""Clients that come close and mean no harm: each for as long as it takes to meet every window."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count, takewhile

from tests.simulators.request import (
    CHROME,
    LOGIN,
    PRODUCTS,
    Request,
    Story,
    add,
    fail_login,
    log_in,
    pay,
    product,
    word,
)

MINUTE_S, HOUR_S = 60, 3_600

OFFICE_AGENTS = [CHROME.replace("141", str(version)) for version in range(122, 142)] + [
    f"Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0" for version in range(125, 143)
]
# Two of forty have what nothing renews any more.
OLD_AGENTS = ["Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", CHROME.replace("141", "49")]


def behind_one_address(customers: int = 40, *, agents: list[str], hurried_s: float = 3.0, for_s: float = 600) -> Story:
    """Forty people, each a request every three seconds: 800 a minute, over a catalogue of five hundred."""

    def story(chance: random.Random) -> Iterator[Request]:
        slugs = [f"{word(chance)}-lamp" for _ in range(500)]
        everyone = [_shopper(random.Random(chance.random()), agents[n % len(agents)], slugs) for n in range(customers)]
        arrivals = (at_s for at_s in _poisson(chance, customers / hurried_s))
        for at_s in takewhile(lambda at_s: at_s < for_s, arrivals):
            request = next(everyone[chance.randrange(customers)])
            yield _at(request, at_s)

    return story


def _shopper(chance: random.Random, agent: str, slugs: list[str]) -> Iterator[Request]:
    """Lists, looks, puts into the cart now and then; an order every six minutes, one card in twenty declined."""
    name = word(chance)
    yield (log_in if chance.random() < 0.9 else fail_login)(0, agent=agent, account=name)
    for number in count(1):
        yield Request(0, PRODUCTS, f"page={chance.randrange(20)}", agent=agent, route="shop:product-list")
        for _ in range(chance.randrange(1, 6)):
            yield product(0, f"{PRODUCTS}{chance.choice(slugs)}/", agent=agent)
        if chance.random() < 0.5:
            yield add(0, agent=agent)
        if number % 4 == 0 and chance.random() < 0.15:
            declined = chance.random() < 0.05
            yield pay(
                0,
                agent=agent,
                user=name,
                status=402 if declined else 201,
                outcome="payment_declined" if declined else "payment_ok",
            )


def hurried_shopper(chance: random.Random) -> Iterator[Request]:
    """Opens ten products at once in tabs, a page of four requests each, again and again; mistypes twice; pays twice."""
    yield fail_login(0, account="ada")
    yield fail_login(6, account="ada")
    yield log_in(13, account="ada", outcome="login_ok")
    for visit in range(30):
        for tab in range(10):
            at_s = 20 + visit * 15 + tab * 0.4
            slug = f"{word(chance)}-{visit}"
            yield product(at_s, f"{PRODUCTS}{slug}/")
            yield Request(at_s + 0.1, f"{PRODUCTS}{slug}/reviews/")
            yield Request(at_s + 0.1, f"/media/{slug}.jpg")
            yield Request(at_s + 0.1, "/api/v1/categories/")
        yield add(20 + visit * 15 + 8)
    yield pay(600, status=402, outcome="payment_declined")
    yield pay(640, outcome="payment_ok")


def price_comparison(chance: random.Random) -> Iterator[Request]:
    """A partner's program: another product each second, for two hours."""
    for number in range(2 * HOUR_S):
        yield product(
            number, f"{PRODUCTS}{word(chance)}-{number}/", agent="price-partner/2.1 (+https://example.org/bot)"
        )


def monitor(chance: random.Random) -> Iterator[Request]:
    """Looks at five addresses every ten seconds, and every hour whether the secrets are closed."""
    for number in range(2 * HOUR_S // 10):
        for path in ("/", PRODUCTS, LOGIN, "/healthz", "/api/v1/categories/"):
            yield Request(
                number * 10, path, method="HEAD", agent="uptime/3", kind="health" if path == "/healthz" else ""
            )
    for hour in range(2):
        yield Request(2 * HOUR_S + hour * HOUR_S, "/.env", agent="uptime/3", status=404)


def polling_admin(chance: random.Random) -> Iterator[Request]:
    """A page that asks every half second, with the time of day against caches, in four tabs."""
    for number in range(4 * 2 * 600):
        yield Request(
            number / 8, "/admin/ip_tracking/queue/", f"_={1_760_011_200_000 + number * 125}", route="admin:queue"
        )
        yield Request(number / 8, "/admin/state/", str(1_760_011_200_000 + number * 125), route="admin:state")


def broken_front_end(chance: random.Random) -> Iterator[Request]:
    """The same three missing things, twice a second, for an hour."""
    for number in range(2 * HOUR_S):
        path = chance.choice(("/api/v0/flags", "/undefined", "/static/app.old.js"))
        yield Request(number / 2, path, status=404)


def gallery_of_the_gone(chance: random.Random) -> Iterator[Request]:
    """A list whose sixty thumbnails were deleted, loaded every half minute."""
    for number in range(20 * 60):
        identifier = f"{chance.getrandbits(128):032x}"
        yield Request(number // 60 * 30 + number % 60 / 60, f"/items/{identifier}/image", status=404)


def list_with_a_missing_call(chance: random.Random) -> Iterator[Request]:
    """A front end that asks for the reviews of each of thirty things in a list, which this API does not have."""
    for number in range(30 * 20):
        yield Request(number // 30 * 10 + number % 30 / 30, f"{PRODUCTS}{word(chance)}-rug/reviews/", status=404)


def sale_in_an_office(chance: random.Random) -> Iterator[Request]:
    """Forty people wait for ten o'clock: all reload, all put it into the cart, a third pays over the next minutes."""
    for number in range(40):
        agent = OFFICE_AGENTS[number % len(OFFICE_AGENTS)]
        for at_s in (0.0, 0.4, 0.9):
            yield product(at_s + chance.random() / 2, f"{PRODUCTS}limited-sneaker/", agent=agent)
        yield add(2 + chance.random() * 6, agent=agent)
        if number % 3 == 0:
            yield pay(40 + chance.random() * 200, agent=agent, outcome="payment_ok")


def forgetful_office(chance: random.Random) -> Iterator[Request]:
    """Forty people on a Monday: twenty mistype, over an hour and a half."""
    for number in range(40):
        at_s = number * 135 + chance.random() * 60
        if number % 2:
            yield fail_login(at_s, account=f"colleague-{number}")
        yield log_in(at_s + 20, account=f"colleague-{number}", outcome="login_ok")


def single_page_shop(chance: random.Random) -> Iterator[Request]:
    """A front end that fetches each of thirty things of a list by itself, at each turn of the page."""
    for number in range(60 * 30):
        page, thing = divmod(number, 30)
        yield Request(page * 4 + thing / 100, f"/api/v1/request/{number}", route="shop:request")


def _poisson(chance: random.Random, per_s: float) -> Iterator[float]:
    at_s = 0.0
    while True:
        at_s += chance.expovariate(per_s)
        yield at_s


def _at(request: Request, at_s: float) -> Request:
    return Request(**{name: getattr(request, name) for name in Request.__slots__} | {"at_s": at_s})


HARMLESS: dict[str, Story] = {
    "forty customers behind one address": behind_one_address(agents=OFFICE_AGENTS + OLD_AGENTS),
    "forty customers with one and the same browser": behind_one_address(agents=[CHROME]),
    "a hurried shopper": hurried_shopper,
    "a price-comparison partner": price_comparison,
    "a monitor": monitor,
    "an admin page that polls": polling_admin,
    "a broken front end": broken_front_end,
    "a gallery of the gone": gallery_of_the_gone,
    "a list with a missing call": list_with_a_missing_call,
    "an office that waits for a sale": sale_in_an_office,
    "a forgetful office": forgetful_office,
    "a single-page shop": single_page_shop,
}
