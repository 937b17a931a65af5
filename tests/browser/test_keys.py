"""The queue without a mouse: keys move and select, and open the page of an action, which asks before it acts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from ip_tracking.models import ReviewAction, SuspiciousIP
from tests.browser.pages import ANALYST, QUEUE, Place, file
from tests.traffic import finding

NETWORKS = ["198.51.100.1", "198.51.100.2", "198.51.100.3"]

Visit = Callable[[Place], Page]


def three() -> str:
    for network in NETWORKS:
        file(finding(network=network))
    return f"{QUEUE}?o=network"


@pytest.fixture
def queue(visit: Visit) -> Page:
    return visit(Place("queue", three, ANALYST))


def ids(*networks: str) -> set[str]:
    return {str(pk) for pk in SuspiciousIP.objects.filter(network__in=networks).values_list("pk", flat=True)}


def asked_about(page: Page, action: str) -> set[str]:
    page.wait_for_url(f"**/act/{action}/?ids=*")
    return set(page.url.split("ids=")[1].split("&")[0].replace("%2C", ",").split(","))


def test_j_and_k_move_from_case_to_case_and_enter_opens_one(queue: Page) -> None:
    for key, network in (("j", 0), ("j", 1), ("j", 2), ("j", 2), ("k", 1)):
        queue.keyboard.press(key)
        expect(queue.get_by_role("link", name=NETWORKS[network], exact=True)).to_be_focused()

    queue.keyboard.press("Enter")

    queue.wait_for_url(f"**/{ids(NETWORKS[1]).pop()}/change/*")


def test_x_selects_and_a_key_asks_about_all_that_are_selected(queue: Page) -> None:
    for key in "jxjjx":
        queue.keyboard.press(key)
    expect(queue.get_by_text("2 of 3 selected")).to_be_visible()

    queue.keyboard.press("b")

    assert asked_about(queue, "block") == ids(NETWORKS[0], NETWORKS[2])
    assert not ReviewAction.objects.exists()


@pytest.mark.parametrize(("key", "verdict"), [("m", "Malicious"), ("g", "Benign"), ("f", "False positive")])
def test_a_verdicts_key_asks_about_this_case_with_the_verdict_filled_in(queue: Page, key: str, verdict: str) -> None:
    queue.keyboard.press("j")
    queue.keyboard.press(key)

    assert asked_about(queue, "judge") == ids(NETWORKS[0])
    expect(queue.get_by_label("Verdict").locator("option:checked")).to_have_text(verdict)
    assert not ReviewAction.objects.exists()


def test_without_a_case_chosen_an_actions_key_does_nothing(queue: Page) -> None:
    before = queue.url

    queue.keyboard.press("b")
    queue.keyboard.press("j")

    expect(queue.locator("tr.current")).to_have_count(1)
    assert queue.url == before


def test_keys_are_text_where_one_writes_and_nothing_with_ctrl(queue: Page) -> None:
    queue.keyboard.press("/")
    box = queue.get_by_label("Search", exact=True)
    expect(box).to_be_focused()

    queue.keyboard.type("jxb?")
    box.blur()
    queue.keyboard.press("Control+j")

    expect(box).to_have_value("jxb?")
    expect(queue.locator("tr.current")).to_have_count(0)
    expect(queue.get_by_role("dialog")).to_have_count(0)


def test_keys_can_be_switched_off_and_stay_off(queue: Page) -> None:
    queue.keyboard.press("?")
    queue.get_by_label("Keys work").uncheck()
    queue.get_by_role("button", name="Close").click()
    queue.keyboard.press("j")
    expect(queue.locator("tr.current")).to_have_count(0)

    queue.reload()
    queue.keyboard.press("j")
    queue.keyboard.press("?")
    expect(queue.locator("tr.current")).to_have_count(0)
    expect(queue.get_by_role("dialog")).to_have_count(0)

    queue.get_by_role("button", name="Keys (?)").click()
    queue.get_by_label("Keys work").check()
    queue.get_by_role("button", name="Close").click()
    queue.keyboard.press("j")
    expect(queue.locator("tr.current")).to_have_count(1)


def test_times_are_told_as_they_are_here_too(queue: Page) -> None:
    abroad = queue.context.browser.new_context(
        timezone_id="Asia/Kolkata", locale="en-GB", storage_state=queue.context.storage_state()
    )
    page = abroad.new_page()
    page.goto(queue.url)

    seen = page.locator("tbody time").first
    expect(seen).to_contain_text("2026-03-02 12:00 UTC (02/03/2026, 17:30 here)")
    abroad.close()
