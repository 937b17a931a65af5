"""A shift at the desk: what each role comes for, done with a real browser on the running house."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from django.contrib.auth import get_user_model
from playwright.sync_api import Page, expect

from ip_tracking.detection.finding import Severity
from ip_tracking.models import Decision, ReviewAction, SuspiciousIP
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, Order
from tests.browser.pages import ANALYST, LEAD, OFFICE, QUEUE, VIEWER, file, press
from tests.e2e.processes import wait_until
from tests.traffic import finding

Login = Callable[..., Any]

ATTACKER, NEIGHBOUR, ELSEWHERE = "203.0.113.9", "203.0.113.77", "198.51.100.4"
WHY = "Card testing since noon"


@pytest.fixture
def three_cases(world: str) -> str:
    file(finding("exploit-attempt", network=ATTACKER, severity=Severity.CRITICAL))
    file(finding(network=NEIGHBOUR))
    file(finding("probing", network=ELSEWHERE, severity=Severity.MEDIUM))
    return world


def status_of(world: str, network: str) -> int:
    """What a request of that network is answered, through the trusted proxy."""
    return requests.get(f"{world}/api/v1/products/", headers={"X-Forwarded-For": network}, timeout=10).status_code


def case_of(network: str) -> SuspiciousIP:
    return SuspiciousIP.objects.get(network=network)


def open_case(page: Page, network: str) -> None:
    page.goto(f"{QUEUE}{case_of(network).pk}/change/")


def choose(page: Page, *networks: str) -> None:
    for network in networks:
        page.get_by_label(f"Select {network}", exact=True).check()


def give_reason(page: Page, button: str, reason: str = WHY) -> None:
    page.locator("textarea[name=reason]").fill(reason)
    press(page, page.get_by_role("button", name=button))


def act_from_case(page: Page, link: str, button: str) -> None:
    press(page, page.get_by_role("link", name=link))
    give_reason(page, button)


def test_an_analyst_finds_blocks_sees_it_refused_takes_it_back_and_sees_it_pass(
    page: Page, login_as: Login, three_cases: str
) -> None:
    login_as(ANALYST)
    assert status_of(three_cases, ATTACKER) == 200

    page.goto(QUEUE)
    page.get_by_label("Search", exact=True).fill("203.0.113.0/28")
    press(page, page.get_by_role("button", name="Search"))
    press(page, page.get_by_role("link", name=ATTACKER, exact=True))
    expect(page.get_by_text("10 in 300 s (limit 10)")).to_be_visible()
    act_from_case(page, "Block…", "Block")

    wait_until(lambda: status_of(three_cases, ATTACKER) == 403, "the refusal", deadline_s=5)
    press(page, page.get_by_role("link", name="Undo, within ten minutes"))
    press(page, page.get_by_role("button", name="Undo"))
    wait_until(lambda: status_of(three_cases, ATTACKER) == 200, "the pass", deadline_s=5)
    assert list(ReviewAction.objects.order_by("id").values_list("action", flat=True)) == ["block", "undo"]
    assert case_of(ATTACKER).triage == "open"


def test_a_search_finds_a_range_and_says_where_it_is_wrong(page: Page, login_as: Login, three_cases: str) -> None:
    login_as(VIEWER)
    page.goto(f"{QUEUE}?q=203.0.113.0/24")
    expect(page.get_by_role("row").filter(has=page.locator("[scope=row]"))).to_have_count(2)

    page.get_by_label("Search", exact=True).fill("203.0.113.0/24 ruel:probing")
    press(page, page.get_by_role("button", name="Search"))

    expect(page.locator("mark")).to_have_text("ruel:")
    expect(page.get_by_text("Did you mean rule?")).to_be_visible()


def test_a_viewer_reads_everything_and_is_offered_nothing(page: Page, login_as: Login, three_cases: str) -> None:
    login_as(VIEWER)
    open_case(page, ATTACKER)

    expect(page.get_by_role("heading", name="Why")).to_be_visible()
    for word in ("Block…", "Judge…", "Comment…", "Snooze…", "Allow-list…"):
        expect(page.get_by_role("link", name=word)).to_have_count(0)


def test_an_analyst_is_not_offered_what_is_a_leads(page: Page, login_as: Login, three_cases: str) -> None:
    login_as(ANALYST)
    page.goto(f"{QUEUE}act/block/?ids={case_of(ATTACKER).pk}")

    hours = page.get_by_label("For how long").locator("option").all_inner_texts()

    assert "7 days" in hours
    assert not any("ends it" in one or "30 days" in one for one in hours)
    open_case(page, ATTACKER)
    expect(page.get_by_role("link", name="Allow-list…")).to_have_count(0)


def test_a_lead_blocks_until_somebody_ends_it_and_puts_on_the_allow_list(
    page: Page, login_as: Login, three_cases: str
) -> None:
    login_as(LEAD)
    page.goto(f"{QUEUE}act/block/?ids={case_of(ATTACKER).pk}")
    page.get_by_label("For how long").select_option(label="until somebody ends it")
    give_reason(page, "Block")
    assert Decision.objects.get().until is None

    open_case(page, ATTACKER)
    act_from_case(page, "Allow-list…", "Allow-list")

    wait_until(lambda: status_of(three_cases, ATTACKER) == 200, "the pass", deadline_s=5)
    assert case_of(ATTACKER).enforcement == "allow"


def test_a_case_is_taken_commented_snoozed_and_judged(page: Page, login_as: Login, three_cases: str) -> None:
    user = login_as(ANALYST)
    open_case(page, NEIGHBOUR)
    press(page, page.get_by_role("link", name="Assign to me…"))
    press(page, page.get_by_role("button", name="Assign"))
    page.goto(f"{QUEUE}?tab=mine")
    press(page, page.get_by_role("link", name=NEIGHBOUR, exact=True))

    press(page, page.get_by_role("link", name="Comment…"))
    give_reason(page, "Comment", "Asked the hoster: <b>no answer</b>")
    open_case(page, NEIGHBOUR)
    expect(page.get_by_text("Asked the hoster: <b>no answer</b>").first).to_be_visible()
    press(page, page.get_by_role("link", name="Judge…"))
    page.get_by_label("False positive").check()
    give_reason(page, "Judge", "Our own monitor")

    case = case_of(NEIGHBOUR)
    assert (case.assignee, case.triage, case.verdict) == (user, "closed", "false_positive")
    page.goto(f"{QUEUE}?tab=closed")
    expect(page.get_by_role("link", name=NEIGHBOUR, exact=True)).to_be_visible()


def test_many_are_confirmed_with_what_is_left_out_and_undone_from_a_page_that_stays(
    page: Page, login_as: Login, three_cases: str
) -> None:
    file(finding(network=OFFICE))
    login_as(ANALYST)
    page.goto(QUEUE)
    choose(page, ATTACKER, NEIGHBOUR, OFFICE)
    page.get_by_label("Action:").select_option(label="Block…")
    press(page, page.get_by_role("button", name="Go"))

    expect(page.get_by_text("You are calling from it yourself.").first).to_be_visible()
    give_reason(page, "Block")
    blocked = {case.network for case in SuspiciousIP.objects.filter(enforcement="block")}
    batch = page.url
    page.goto(QUEUE)
    page.goto(batch)
    press(page, page.get_by_role("button", name="Undo"))

    assert blocked == {ATTACKER, NEIGHBOUR}
    assert not SuspiciousIP.objects.filter(enforcement="block").exists()
    assert not Decision.objects.standing(datetime.now(UTC)).exists()


def test_who_saw_an_older_state_is_told_who_changed_it_and_nothing_is_done(
    page: Page, login_as: Login, three_cases: str
) -> None:
    login_as(ANALYST)
    page.goto(f"{QUEUE}act/block/?ids={case_of(ATTACKER).pk}")
    lee = Actor(id="8", name="lee")
    judged = Order(Action.JUDGE, "Our own scanner", verdict="testing")
    apply(judged, {case_of(ATTACKER).pk: None}, actor=lee, now=datetime.now(UTC))

    give_reason(page, "Block")

    expect(page.get_by_text("Changed by lee").first).to_be_visible()
    assert case_of(ATTACKER).enforcement == "none"


def test_a_block_is_made_without_touching_the_mouse(page: Page, login_as: Login, three_cases: str) -> None:
    login_as(ANALYST)
    page.goto(QUEUE)
    page.keyboard.press("j")
    with page.expect_navigation():
        page.keyboard.press("b")

    _tab_to(page, "textarea[name=reason]")
    page.keyboard.type(WHY)
    _tab_to(page, "form [type=submit].default")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert case_of(ATTACKER).enforcement == "block"


def test_the_work_is_done_in_a_window_of_320_pixels(page: Page, login_as: Login, three_cases: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    login_as(ANALYST)
    page.goto(QUEUE)
    press(page, page.get_by_role("link", name=ATTACKER, exact=True))
    act_from_case(page, "Block…", "Block")

    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
    assert case_of(ATTACKER).enforcement == "block"


def test_a_lead_suspends_all_blocking_and_the_desk_says_so(page: Page, login_as: Login, three_cases: str) -> None:
    login_as(LEAD)
    page.goto(f"{QUEUE}act/block/?ids={case_of(ATTACKER).pk}")
    give_reason(page, "Block")
    wait_until(lambda: status_of(three_cases, ATTACKER) == 403, "the refusal", deadline_s=5)

    page.goto("/admin/ip_tracking/gateswitch/turn/")
    page.get_by_label("Off: count nothing").check()
    page.get_by_label("Reason").fill("It refuses our own app")
    press(page, page.locator("form [type=submit].default"))

    wait_until(lambda: status_of(three_cases, ATTACKER) == 200, "the pass", deadline_s=5)
    page.goto(QUEUE)
    expect(page.get_by_text("The gate is off until")).to_be_visible()


def test_a_permission_that_was_taken_away_meanwhile_counts(page: Page, login_as: Login, three_cases: str) -> None:
    login_as(ANALYST)
    page.goto(f"{QUEUE}act/block/?ids={case_of(ATTACKER).pk}")
    get_user_model().objects.get(username="dana").groups.clear()

    give_reason(page, "Block")

    expect(page.get_by_role("heading", name="403")).to_be_visible()
    assert case_of(ATTACKER).enforcement == "none"


def _tab_to(page: Page, selector: str, most: int = 60) -> None:
    for _ in range(most):
        if page.evaluate("what => document.activeElement.matches(what)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by the keyboard")
