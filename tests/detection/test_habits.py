"""What harmless clients do too: shown alone, never beside a symptom."""

from __future__ import annotations

import pytest

from ip_tracking.detection.agents import DATED_YEARS, dated_from_us
from ip_tracking.detection.bursts import find
from ip_tracking.detection.habits import HABITS
from ip_tracking.detection.rules import RULES
from ip_tracking.detection.symptoms import names, symptoms_of
from ip_tracking.event import US
from tests.detection.events import asked, seen

YEAR_US = 31_556_952 * US
OLD = "Mozilla/5.0 (Windows NT 6.2; rv:36.0) Gecko/20100101 Firefox/36.0"


def posted(path="/x/", **fields):
    return asked(path, **({"method": "POST", "status": 201, "route": "shop:x"} | fields))


@pytest.mark.parametrize(
    ("fields", "habit"),
    [
        ({"kind": "payment", "status": 402, "outcome": "payment_declined"}, "declined-payment"),
        ({"kind": "payment", "status": 402, "outcome": "payment_failed"}, "declined-payment"),
        ({"kind": "payment", "outcome": "payment_ok"}, "paid"),
        ({"kind": "coupon", "status": 404, "outcome": "coupon_failed"}, "refused-coupon"),
        ({"kind": "coupon", "status": 200, "outcome": "coupon_refused"}, "refused-coupon"),
        ({"kind": "cart"}, "cart-add"),
        ({"kind": "cart", "method": "PATCH", "status": 200}, "cart-add"),
        ({"kind": "registration"}, "registered"),
    ],
)
def test_a_deed_is_known_by_its_outcome_or_kind(fields, habit):
    assert symptoms_of(posted(**fields)) == habit


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "cart", "method": "GET", "status": 200},
        {"kind": "cart", "method": "DELETE", "status": 204},
        {"kind": "cart", "status": 409},
        {"kind": "registration", "status": 400},
        {"kind": "payment", "method": "GET", "status": 200, "outcome": "payment_ok"},
        {"kind": "payment", "status": 504},
        {"kind": "coupon", "outcome": "coupon_ok"},
        {"kind": "login", "outcome": "login_ok"},
    ],
)
def test_looking_at_it_or_failing_otherwise_is_none(fields):
    assert symptoms_of(posted(**fields)) == ""


def test_a_declined_card_is_told_where_the_provider_sends_the_buyer_back():
    back = asked("/pay/return/", status=302, route="shop:return", kind="payment", outcome="payment_declined")

    assert symptoms_of(back) == "declined-payment"


def test_a_log_tells_a_declined_card_by_its_status():
    assert symptoms_of(asked("/checkout", method="POST", status=402)) == "declined-payment"


@pytest.mark.parametrize("path", ["/login", "/account/sign-in/", "/users/logon", "/wp-login.php", "/xmlrpc.php"])
def test_a_log_does_not_tell_how_a_login_went(path):
    assert symptoms_of(asked(path, method="POST", status=302)) == "login-try"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/oauth/token", {"status": 200}),  # machines ask for tokens all day
        ("/api/auth/session", {"status": 200}),
        ("/login", {"status": 302, "method": "GET"}),
        ("/login", {"status": 302, "route": "shop:login", "outcome": "login_ok"}),  # live, where it is known
        ("/login", {"status": 500}),
    ],
)
def test_other_requests_are_no_login_tries(path, fields):
    assert symptoms_of(asked(path, **({"method": "POST"} | fields))) == ""


@pytest.mark.parametrize("query", ["8371265", "XQKZ=81HA", "xQ3=f9Kd2", "AbCdEfGh"])
def test_a_query_that_no_page_writes_is_random(query):
    assert symptoms_of(asked(f"/?{query}", status=200)) == "random-query"


@pytest.mark.parametrize(
    "target",
    [
        "/?page=3&sort=price",
        "/?q=Lamp",
        "/?productId=12345",
        "/?print",
        "/?1760011200",
        "/?1760011200123",
        "/?_=1760011200123",
        "/photo.jpg?83712650",
        "/style.css?AbCdEfGh",
    ],
)
def test_words_times_and_versions_of_files_are_not(target):
    assert symptoms_of(asked(target, status=200)) == ""


def test_a_browser_of_long_ago_is_dated():
    assert symptoms_of(asked(status=200, user_agent=OLD)) == "dated-agent"


@pytest.mark.parametrize(
    ("browser", "year"),
    [
        ("Chrome/41.0", 2015.2),
        ("Chrome/60.0", 2017.6),
        ("Chrome/94.0", 2021.7),
        ("Chrome/120.0", 2023.9),
        ("Chrome/140.0", 2025.7),
        ("Firefox/60.0", 2018.4),
        ("Firefox/115.0", 2023.5),
        ("Firefox/140.0", 2025.5),
    ],
)
def test_the_year_of_a_browser_is_known_to_a_year(browser, year):
    assert dated_from_us(f"Mozilla/5.0 {browser}") / YEAR_US + 1970 - DATED_YEARS == pytest.approx(year, abs=1)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "curl/8.5.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36",
        "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; id) Presto/2.8.119 Version/11.10",
        "Mozilla/5.0 Chrome/999.0",
    ],
)
def test_other_agents_are_not(agent):
    assert symptoms_of(asked(status=200, user_agent=agent)) == ""


def test_a_request_shows_one_habit_and_none_beside_a_symptom():
    by_an_old_browser = posted(kind="cart", user_agent=OLD)
    missing = asked("/gone/", user_agent=OLD)
    exploiting = posted("/x/..;/y", kind="cart")

    assert symptoms_of(by_an_old_browser) == "cart-add"
    assert symptoms_of(missing) == "missing-path"
    assert names(symptoms_of(exploiting)).isdisjoint(HABITS)


def test_what_we_refused_shows_no_habit():
    assert symptoms_of(posted(kind="cart", status=429, refused="site")) == "refused-by-policy"
    assert symptoms_of(posted(kind="cart", status=403, refused="block")) == ""


def test_each_habit_is_counted_by_a_rule_or_excuses_in_one():
    assert {rule.symptom for rule in RULES} | {rule.unless for rule in RULES} >= set(HABITS)


def test_a_search_typed_letter_by_letter_is_one_name():
    typed = [asked(f"/search?Q1={'abcdefgh'[: 3 + n % 5]}{n}", at_s=n / 10, status=200) for n in range(60)]

    assert find(seen(*typed), RULES) == []
