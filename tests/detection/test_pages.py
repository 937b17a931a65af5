"""What counts as a page to who looks for crawlers."""

from __future__ import annotations

import pytest

from ip_tracking.detection.bursts import find
from ip_tracking.detection.pages import NO_REFERER, as_page, is_page, is_unled
from ip_tracking.detection.rules import CRAWLING
from tests.detection.events import asked


@pytest.mark.parametrize(
    "fields", [{"status": 200}, {"status": 404}, {"status": 502}, {"status": 200, "method": "HEAD"}]
)
def test_what_is_read_is_a_page_whatever_came_of_it(fields):
    assert is_page(asked("/products/lamp/", **fields))


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/cart/", {"method": "POST"}),
        ("/lamp.jpg", {"status": 200}),
        ("/lamp/", {"status": 304}),
        ("/lamp/", {"status": 429, "refused": "site"}),
        ("/healthz", {"status": 200, "kind": "health"}),
    ],
)
def test_other_requests_are_not(path, fields):
    assert not is_page(asked(path, **fields))


def test_a_page_keeps_what_it_shows():
    assert as_page(asked("/gone/", symptoms="missing-path")).symptoms == "missing-path page"
    assert as_page(asked("/", status=200)).symptoms == "page"


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize(
    "agent", [FIREFOX, "", "curl/8.5.0", "python-requests/2.32.3", "Mozilla/4.0 (compatible; MSIE 8.0)"]
)
def test_a_page_is_unled_where_nothing_led_to_it_and_the_agent_hides(agent):
    assert is_unled(asked("/products/lamp/", user_agent=agent), NO_REFERER)


@pytest.mark.parametrize(
    ("path", "agent", "referer"),
    [
        ("/products/lamp/", FIREFOX, "https://shop.example/"),
        ("/products/lamp/", FIREFOX, ""),  # a format without a place for it
        ("/api/v1/products/lamp/", FIREFOX, NO_REFERER),
        ("/v2/products/lamp/", "curl/8.5.0", NO_REFERER),
        ("/products/lamp/", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", NO_REFERER),
        ("/products/lamp/", "Mozilla/5.0 Safari/605.1.15 (Applebot/0.1)", NO_REFERER),
        ("/files/lamp.pdf", "Mozilla/5.0 (Linux) mirall/3.13.0 (Nextcloud)", NO_REFERER),
        ("/products/lamp/", "price-partner/2.1", NO_REFERER),
        ("/products/lamp/", "okhttp/4.12.0", NO_REFERER),
    ],
)
def test_browsers_robots_apps_and_programs_that_may_are_not(path, agent, referer):
    assert not is_unled(asked(path, user_agent=agent), referer)


def crawl(paths) -> list:
    return find([as_page(asked(path, at_s=n / 50, number=n, status=200)) for n, path in enumerate(paths)], [CRAWLING])


def test_counting_up_is_a_crawl_and_a_wall_of_thumbnails_is_not():
    assert crawl(f"/products/{10_000 + n}/" for n in range(60))
    assert not crawl(f"/items/{n:032x}a/thumbnail" for n in range(1 << 100, (1 << 100) + 60))


def test_reading_one_page_again_and_again_is_no_crawl():
    assert not crawl(f"/products/{n % 20}/" for n in range(100))
