"""The queue without a mouse. No key acts at once: it opens the page that asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from ip_tracking.models import SuspiciousIP
from tests.browser.pages import ANALYST, QUEUE, VIEWER, file
from tests.traffic import finding

Login = Callable[[str], Any]

FIRST, SECOND = "203.0.113.9", "203.0.113.10"


@pytest.fixture
def queue(page: Page, login_as: Login) -> Page:
    """Two cases, the graver first."""
    file(finding("exploit-attempt", network=FIRST), finding(network=FIRST))
    file(finding(network=SECOND))
    login_as(ANALYST)
    page.goto(QUEUE)
    return page


def focused(page: Page) -> str:
    return str(page.evaluate("() => document.activeElement.textContent.trim()"))


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def key(network: str) -> str:
    return str(SuspiciousIP.objects.get(network=network).pk)


def test_j_and_k_go_from_case_to_case_and_enter_opens_it(queue: Page) -> None:
    queue.keyboard.press("j")
    queue.keyboard.press("j")
    assert focused(queue) == SECOND
    queue.keyboard.press("k")
    assert focused(queue) == FIRST

    queue.keyboard.press("Enter")

    queue.wait_for_url(f"**{QUEUE}{key(FIRST)}/change/**")


def test_a_key_asks_about_the_case_it_is_on(queue: Page) -> None:
    queue.keyboard.press("j")
    queue.keyboard.press("b")

    queue.wait_for_url("**/act/block/**")
    assert asked(queue)["ids"] == [key(FIRST)]
    expect(queue.get_by_label("Reason")).to_be_empty()
    assert SuspiciousIP.objects.get(network=FIRST).enforcement == SuspiciousIP.Enforcement.NONE


def test_a_key_asks_about_all_selected_cases(queue: Page) -> None:
    for pressed in "jxjx":
        queue.keyboard.press(pressed)
    queue.keyboard.press("f")

    queue.wait_for_url("**/act/judge/**")
    assert asked(queue)["ids"] == [f"{key(FIRST)},{key(SECOND)}"]
    assert asked(queue)["verdict"] == ["false_positive"]


@pytest.mark.parametrize(("pressed", "verdict"), [("m", "Malicious"), ("g", "Benign"), ("f", "False positive")])
def test_a_verdicts_key_opens_the_page_with_that_verdict(queue: Page, pressed: str, verdict: str) -> None:
    queue.keyboard.press("j")
    queue.keyboard.press(pressed)

    queue.wait_for_url("**/act/judge/**")
    expect(queue.get_by_role("radio", name=verdict)).to_be_checked()


def test_the_page_of_an_action_leads_back_to_the_queue_as_it_was_filtered(queue: Page) -> None:
    queue.goto(f"{QUEUE}?severity=high&tab=all")
    queue.keyboard.press("j")
    queue.keyboard.press("a")

    queue.wait_for_url("**/act/assign/**")
    assert asked(queue)["_changelist_filters"] == ["severity=high&tab=all"]
    expect(queue.get_by_label("Assign to").locator("option:checked")).to_have_text("dana (me)")


def test_letters_written_into_the_search_are_letters(queue: Page) -> None:
    queue.keyboard.press("/")
    queue.keyboard.type("jbx?")

    expect(queue.get_by_label("Search", exact=True)).to_have_value("jbx?")
    expect(queue.get_by_role("dialog")).to_be_hidden()


def test_keys_are_switched_off_and_stay_off(queue: Page) -> None:
    queue.keyboard.press("?")
    queue.get_by_label("Keys work").uncheck()
    queue.keyboard.press("Escape")
    queue.reload()

    queue.keyboard.press("j")

    assert focused(queue) != FIRST
    expect(queue.get_by_role("button", name="Keys (?)")).to_be_visible()


def test_keys_are_switched_on_again_where_they_were_switched_off(queue: Page) -> None:
    queue.keyboard.press("?")
    queue.get_by_label("Keys work").uncheck()
    queue.get_by_role("button", name="Close").click()
    queue.reload()
    queue.get_by_role("button", name="Keys (?)").click()
    queue.get_by_label("Keys work").check()
    queue.get_by_role("button", name="Close").click()
    expect(queue.get_by_role("dialog")).to_be_hidden()

    queue.keyboard.press("j")

    assert focused(queue) == FIRST


def test_times_are_told_as_they_are_here_too(queue: Page, chromium: Browser) -> None:
    kolkata = {"timezone_id": "Asia/Kolkata", "locale": "en-GB"}
    context = chromium.new_context(**kolkata, storage_state=queue.context.storage_state())
    page = context.new_page()

    page.goto(queue.url)

    expect(page.locator("tbody time").first).to_contain_text("2026-03-02 12:00 UTC (02/03/2026, 17:30 here)")
    context.close()


def test_a_viewer_has_no_keys_that_act(page: Page, login_as: Login) -> None:
    file(finding(network=FIRST))
    login_as(VIEWER)
    page.goto(QUEUE)

    page.keyboard.press("j")
    page.keyboard.press("b")
    page.keyboard.press("?")

    page.get_by_role("dialog").wait_for()
    assert urlsplit(page.url).path == QUEUE
    expect(page.get_by_text("A page asks first.")).to_have_count(0)
