"""Crawls in a log: found without keeping the log."""

from __future__ import annotations

import json

from ip_tracking.detection.pages import VIEWS_READ
from ip_tracking.detection.rules import CRAWLING, SCRAPING
from ip_tracking.replay.engine import Replay
from ip_tracking.replay.pages import Pages
from tests.detection.events import asked
from tests.replay.lines import line

CRAWL = [
    line(f"/products/{n}/", at=f"12:00:{n // 25:02d}", status=200, referer="https://shop.example/")
    for n in range(CRAWLING.threshold + 10)
]


def rules_found(replay: Replay) -> list[str]:
    return [finding.rule for suspect in replay.suspects() for finding in suspect.findings]


def read(*files: list[str]) -> Replay:
    replay = Replay()
    for number, lines in enumerate(files):
        replay.read(lines, f"{number}.log")
    return replay


def test_a_crawl_is_found_with_its_lines():
    [suspect] = read(CRAWL).suspects()

    [finding] = suspect.findings
    assert (finding.rule, finding.count) == ("crawling", len(CRAWL))
    assert [event.request_id for event in finding.evidence] == [f"0.log:{n}" for n in range(1, 11)]


def test_a_crawl_over_two_servers_is_one():
    half = len(CRAWL) // 2

    assert rules_found(read(CRAWL[:half])) == []
    assert rules_found(read(CRAWL[::2], CRAWL[1::2])) == ["crawling"]
    assert rules_found(read(CRAWL[half:], CRAWL[:half])) == ["crawling"]


def scraped(referer: str) -> list[str]:
    return [
        line(f"/products/{n}/", at=f"12:00:{n // 2:02d}", status=200, referer=referer)
        for n in range(SCRAPING.threshold + 5)
    ]


def test_who_reads_on_and_comes_from_nowhere_is_found_long_before_machine_speed():
    [suspect] = read(scraped("-")).suspects()

    [finding] = suspect.findings
    assert (finding.rule, finding.count) == ("scraping", SCRAPING.threshold)
    assert rules_found(read(scraped("https://shop.example/"))) == []


def test_json_lines_say_whether_there_was_a_referer():
    def read_json(**fields: str) -> list[str]:
        lines = [
            json.dumps(
                {"remote_addr": "203.0.113.9", "time_iso8601": f"2026-03-02T12:00:{n // 2:02d}+00:00", "status": 200}
                | {"request": f"GET /products/{n}/ HTTP/1.1", "http_user_agent": "curl/8.5.0"}
                | fields
            )
            for n in range(SCRAPING.threshold)
        ]
        return rules_found(read(lines))

    assert read_json(http_referer="") == ["scraping"]
    assert read_json(http_referer="-") == ["scraping"]
    assert read_json(http_referer="https://shop.example/") == []
    assert read_json() == []


def view(number: int, at_s: float, network: str = "203.0.113.9"):
    return asked(f"/products/{number}/", at_s=at_s, number=number, network=network, status=200)


def keep(pages: Pages, event) -> None:
    pages.keep(event, event.request_id)


def test_what_is_no_part_of_a_crowd_is_forgotten_when_memory_is_full():
    pages = Pages(most=500)

    for number in range(60):
        keep(pages, view(number, number / 40))
    for number in range(10_000):
        keep(pages, view(number, number, "198.51.100.4"))

    assert pages.held <= 500
    assert {event.network for event in pages.crowded()} == {"203.0.113.9"}
    assert len(list(pages.crowded())) == 60


def test_of_a_second_no_more_is_kept_than_is_looked_at_whatever_came_first():
    pages = Pages()
    views = [view(number, number / 10_000) for number in range(5 * VIEWS_READ)]

    for one in reversed(views):
        keep(pages, one)

    assert pages.held < 2 * VIEWS_READ
    assert [event.at_us for event in pages.crowded()] == [one.at_us for one in views[:VIEWS_READ]]


def test_a_log_of_nothing_but_crowds_is_not_gone_through_at_every_line():
    pages = Pages(most=200)

    for number in range(1_000):
        keep(pages, view(number, number / 40))

    assert pages.held == 1_000
    assert pages.most > 1_000
