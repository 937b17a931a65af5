"""What counts as a page to who looks for crawlers."""

from __future__ import annotations

import pytest

from ip_tracking.detection.bursts import find
from ip_tracking.detection.pages import as_page, is_page
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


def crawl(paths) -> list:
    return find([as_page(asked(path, at_s=n / 50, number=n, status=200)) for n, path in enumerate(paths)], [CRAWLING])


def test_counting_up_is_a_crawl_and_a_wall_of_thumbnails_is_not():
    assert crawl(f"/products/{10_000 + n}/" for n in range(60))
    assert not crawl(f"/items/{n:032x}a/thumbnail" for n in range(1 << 100, (1 << 100) + 60))


def test_reading_one_page_again_and_again_is_no_crawl():
    assert not crawl(f"/products/{n % 20}/" for n in range(100))
