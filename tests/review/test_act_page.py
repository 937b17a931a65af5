"""Asking before acting, acting, and what is left to see and to undo afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ip_tracking import cases
from ip_tracking.gate import decisions
from ip_tracking.models import Decision, ReviewAction, ReviewText, SuspiciousIP
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, Order
from tests.review.conftest import OFFICE, Staff, file
from tests.review.pages import (
    HOSTILE,
    QUEUE,
    WHY,
    Page,
    act,
    act_on,
    again,
    assert_inert_and_visible,
    assert_strict,
    messages,
    page_of,
    read,
    text_of,
    versions,
)
from tests.traffic import ATTACKER, event, finding, stored

pytestmark = pytest.mark.django_db

Commit = Callable[..., AbstractContextManager[Any]]

LEE = Actor(id="8", name="lee")
HOUR = timedelta(hours=1)

# What each action takes besides a reason.
GIVEN: dict[str, dict[str, str]] = {
    "assign": {"assignee": ""},
    "comment": {},
    "snooze": {"worse": "on"},
    "reopen": {},
    "judge": {"verdict": "benign"},
    "block": {"hours": "1"},
    "unblock": {},
    "allow": {"hours": "24"},
}


def of_role(role: str) -> Client:
    user: Any = get_user_model().objects.create_user(role.split()[1], is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client(REMOTE_ADDR=OFFICE)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def lead() -> Client:
    return of_role("Security lead")


def many(number: int) -> list[SuspiciousIP]:
    return [file(finding(network=f"198.51.{place // 250}.{place % 250}")) for place in range(number)]


# Who may


@pytest.mark.parametrize("action", [action.value for action in Action])
@pytest.mark.parametrize("role", ["Security viewer", "Security analyst", "Security lead"])
def test_each_role_does_its_own_and_is_refused_the_rest(role: str, action: str) -> None:
    case, client = file(finding()), of_role(role)
    may = role == "Security lead" or (role == "Security analyst" and action != "allow")
    posted = {"reason": WHY, "versions": versions(case), **GIVEN[action]}

    looked = client.get(act_on(action, case)).status_code
    done = client.post(act_on(action, case), posted).status_code

    assert (looked, done) == ((200, 302) if may else (403, 403))
    assert ReviewAction.objects.filter(action=action).exists() is may


@pytest.mark.parametrize("action", ["delete", "BLOCK", "undo"])
def test_an_action_that_there_is_not_is_refused(analyst: Client, action: str) -> None:
    assert analyst.post(act_on(action, file(finding())), {"reason": WHY}).status_code == 403


@pytest.mark.parametrize(
    ("role", "menu"),
    [
        ("Security viewer", set()),
        ("Security analyst", {action.value for action in Action} - {"allow"}),
        ("Security lead", {action.value for action in Action}),
    ],
)
def test_the_queues_menu_leads_each_role_to_what_it_may_do(role: str, menu: set[str]) -> None:
    case, client = file(finding()), of_role(role)

    options = {one["value"] for one in read(client.get(QUEUE)).all("option") if one.get("value")}
    sent = {
        action.value: client.post(QUEUE, {"action": action.value, "_selected_action": [case.pk]}).get("Location", "")
        for action in Action
    }

    assert options == menu
    assert {action for action, address in sent.items() if f"/act/{action}/?ids={case.pk}" in address} == menu


def test_an_analyst_is_not_offered_and_not_granted_a_block_for_good() -> None:
    case, analyst = file(finding()), of_role("Security analyst")

    page = read(analyst.get(act_on("block", case)))
    response = act(analyst, "block", case, hours="for good")

    assert [option["value"] for option in page.all("option")] == ["1", "4", "24", "168"]
    assert "Choose one of these" in text_of(response)
    assert not Decision.objects.exists()


def test_more_than_a_hundred_at_once_are_a_leads(lead: Client) -> None:
    chosen = many(101)

    assert of_role("Security analyst").get(act_on("comment", *chosen)).status_code == 403
    assert lead.get(act_on("comment", *chosen)).status_code == 200


# Before


def test_chosen_cases_are_asked_about_before_anything_happens(analyst: Client) -> None:
    first, second = file(finding()), file(finding(network="198.51.100.4"))

    response = analyst.post(QUEUE, {"action": "block", "_selected_action": [first.pk, second.pk]}, follow=True)

    asked = text_of(response)
    assert "Block 2 cases" in asked
    assert "203.0.113.9 High 40 login-brute-force To review Not enforced nobody 0 0" in asked
    assert not ReviewAction.objects.exists()


def test_whom_a_block_would_lock_out_is_told_before(analyst: Client, now: datetime) -> None:
    case, other, filed = file(finding()), file(finding(network="198.51.100.4")), "198.51.100.5"
    cases.file([finding(network=filed)], source="access.log", now=now)
    stored(
        *[event(now - HOUR, user=user) for user in ("7", "7", "8", "")],
        event(now - HOUR, user="7", outcome="payment_ok"),
        event(now - 25 * HOUR, user="9", outcome="payment_ok"),
    )

    page = text_of(analyst.get(act_on("block", case, other, SuspiciousIP.objects.get(network=filed))))

    assert "Not enforced nobody 2 1" in page
    assert "Not enforced nobody 0 0" in page
    assert "unknown: it came from a log file" in page
    assert "Careful: this locks out 2 known users, who made 1 good payment" in page


def test_what_will_be_skipped_is_told_before(analyst: Client) -> None:
    own, other = file(finding(network=OFFICE)), file(finding())

    page = analyst.get(act_on("block", own, other))

    assert [(case, why) for case, why in page.context["skipped"]] == [(own, "You are calling from it yourself.")]
    assert "Will be skipped 192.0.2.10 : You are calling from it yourself." in text_of(page)


def test_where_all_are_skipped_there_is_no_button(analyst: Client) -> None:
    page = read(analyst.get(act_on("block", file(finding(network=OFFICE)))))

    assert "There is nothing left to do it to." in page.text
    assert not any(one.get("class") == "default" for one in page.all("input"))


@pytest.mark.parametrize("ids", ["", "x", "0", "-1", "9" * 18, "9" * 5_000, "1 OR 1=1", "\u0661", "1,,2"])
def test_ids_that_name_no_case_are_told_so(analyst: Client, ids: str) -> None:
    response = analyst.get(f"{QUEUE}act/block/", {"ids": ids})

    assert "No case was chosen." in text_of(response)


@pytest.mark.parametrize("shown", ["", "x", "1", "0:0", "9:9", ":", "1:2:3", "\u0661:1", "9" * 19 + ":1", "1:1;2:1"])
def test_a_form_that_shows_no_case_does_nothing(analyst: Client, shown: str) -> None:
    case = file(finding())

    response = analyst.post(act_on("judge", case), {"reason": WHY, "verdict": "benign", "versions": shown})

    assert response.status_code in (200, 302)
    assert again(case).version == 1


def test_what_an_address_says_the_form_begins_with(analyst: Client) -> None:
    page = read(analyst.get(act_on("judge", file(finding())) + "&verdict=false_positive&reason=Trust+me"))

    assert [one["value"] for one in page.all("input") if "checked" in one] == ["false_positive"]
    assert "Trust me" not in "".join(page.text)


@pytest.mark.parametrize("number", [5, 200])
def test_the_page_costs_as_many_queries_for_two_hundred_as_for_five(lead: Client, number: int) -> None:
    chosen = many(number)
    lead.get(act_on("block", chosen[0]))

    with CaptureQueriesContext(connection) as captured:
        page = lead.get(act_on("block", *chosen))

    assert len(page.context["rows"]) == number
    assert len(captured) <= 8


# Acting


def test_a_block_is_done_and_shown_on_the_case(analyst: Client) -> None:
    case = file(finding())

    response = act(analyst, "block", case, hours="24", malicious="on")

    page = text_of(response)
    record = ReviewAction.objects.get()
    assert response.redirect_chain == [(page_of(case), 302)]
    assert "Done: block 203.0.113.9. Undo, within ten minutes" in page
    assert "Block by dana until" in page
    assert f"Blocked by dana; triage: to review → closed, verdict: none yet → malicious, enforcement: not enforced → blocked, enforced until {again(case).enforced_until:%Y-%m-%d %H:%M} UTC. {WHY}" in page  # fmt: skip  # noqa: E501
    assert (record.actor_name, record.via) == ("dana", "admin")
    assert record.request_id
    assert timedelta(0) <= datetime.now(UTC) - record.at < timedelta(minutes=1)
    assert case.enforcement == "block"


def test_a_block_may_leave_the_case_open(analyst: Client) -> None:
    case = file(finding())

    act(analyst, "block", case, hours="1")

    assert (again(case).triage, case.verdict, case.enforcement) == ("open", "", "block")


def test_a_case_is_given_to_a_colleague_who_may_review(staff: Staff, analyst: Client) -> None:
    case = file(finding())
    staff("view", "review", name="sam")
    staff("view", name="viewer")
    sam = get_user_model().objects.get(username="sam")

    page = analyst.get(act_on("assign", case))
    act(analyst, "assign", case, assignee=str(sam.pk), reason="")

    assert [label for _, label in page.context["form"].fields["assignee"].choices] == [
        "dana (me)", "sam", "nobody: give it back",
    ]  # fmt: skip
    assert again(case).assignee == sam


def test_a_case_is_snoozed_until_a_time_in_utc(analyst: Client, now: datetime) -> None:
    case = file(finding())
    until = (now + timedelta(days=2)).replace(second=0, microsecond=0)

    act(analyst, "snooze", case, until=f"{until:%Y-%m-%dT%H:%M}", reason="")

    assert (again(case).triage, case.snoozed_until, case.snoozed_score) == ("snoozed", until, None)


def test_an_allowed_network_is_listed(lead: Client) -> None:
    case = file(finding())

    act(lead, "allow", case, hours="for good")

    assert [(one.kind, one.until) for one in Decision.objects.all()] == [("allow", None)]


def test_a_block_for_good_is_a_choice_of_its_own(lead: Client) -> None:
    case = file(finding())

    act(lead, "block", case, hours="for good")

    assert Decision.objects.get().until is None
    assert "Blocked until somebody ends it" in text_of(lead.get(page_of(case)))


@pytest.mark.parametrize(
    ("action", "posted", "told"),
    [
        ("block", {"reason": "spam", "hours": "1"}, "Reason : Ensure this value has at least 5 characters"),
        ("block", {"reason": "", "hours": "1"}, "Reason : This field is required"),
        ("block", {"hours": ""}, "For how long : This field is required"),  # nobody is blocked for good by that
        ("block", {"hours": "100000"}, "For how long : Choose one of these"),
        ("block", {"reason": "          ", "hours": "1"}, "Reason : This field is required"),
        ("block", {"reason": "nul \x00 nul", "hours": "1"}, "Reason : Null characters are not allowed"),
        ("judge", {}, "Verdict : This field is required"),
        ("judge", {"verdict": "guilty"}, "Verdict : Choose one of these"),
        ("comment", {"reason": "x" * 501}, "Comment : Ensure this value has at most 500 characters"),
        ("assign", {"assignee": "4711"}, "Assign to : Choose one of these"),
        ("assign", {"assignee": "", "reason": "spam"}, "Reason : Ensure this value has at least 5 characters"),
        ("snooze", {}, "Snooze until a time within 90 days, until it gets worse, or both."),
        ("snooze", {"until": "2020-01-01T00:00"}, "Snooze until a time within 90 days"),
        ("snooze", {"until": "soon"}, "Until (UTC) : Enter a valid date/time"),
    ],
)
def test_what_is_missing_is_told_first_and_beside_the_field_and_nothing_done(
    analyst: Client, action: str, posted: dict[str, str], told: str
) -> None:
    case = file(finding())

    response = act(analyst, action, case, **posted)

    page = read(response)
    [summary] = [one for one in page.all("div") if one.get("role") == "alert"]
    assert summary["tabindex"] == "-1"
    assert "autofocus" in summary
    assert told in text_of(response)
    if " : " in told:
        assert any(attributes.get("aria-invalid") == "true" for _, attributes in page.elements)
        [link] = [one["href"] for one in page.all("a") if re.match(r"#id_", one.get("href") or "")]
        assert any(attributes.get("id") == str(link)[1:] for _, attributes in page.elements)
    assert again(case).version == 1
    assert not ReviewAction.objects.exists()


def test_what_was_typed_is_still_there_after_an_error(analyst: Client) -> None:
    case = file(finding())

    page = act(analyst, "judge", case, verdict="testing", reason="no")

    assert [one["value"] for one in read(page).all("input") if "checked" in one] == ["testing"]
    assert page.context["versions"] == f"{case.pk}:1"


# Somebody else was quicker


def test_who_saw_an_older_version_is_told_who_changed_what_and_the_others_are_done(analyst: Client) -> None:
    first, second = file(finding()), file(finding(network="198.51.100.4"))
    shown = analyst.get(act_on("judge", first, second)).context["versions"]
    apply(Order(Action.BLOCK, WHY, hours=1), {first.pk: None}, actor=LEE, now=datetime.now(UTC))

    response = analyst.post(
        act_on("judge", first, second), {"reason": WHY, "verdict": "benign", "versions": shown}, follow=True
    )

    page = text_of(response)
    assert "Judged by dana," in page
    assert "1 case, 1 skipped." in page
    assert re.search(r"Skipped 203\.0\.113\.9 : Changed by lee \d+ seconds ago \(block\): look at it again\.", page)
    assert (again(first).verdict, again(second).verdict) == ("", "benign")


def test_a_single_case_that_was_changed_is_told_on_its_page(analyst: Client) -> None:
    case = file(finding())
    shown = versions(case)
    apply(Order(Action.COMMENT, WHY), {case.pk: None}, actor=LEE, now=datetime.now(UTC))

    response = analyst.post(act_on("judge", case), {"reason": WHY, "verdict": "benign", "versions": shown}, follow=True)

    assert response.redirect_chain == [(page_of(case), 302)]
    assert "203.0.113.9 was left as it is. Changed by lee" in messages(response)


def test_a_network_that_may_not_be_blocked_is_left_and_told(analyst: Client) -> None:
    own, other = file(finding(network=OFFICE)), file(finding())

    page = text_of(act(analyst, "block", own, other, hours="1"))

    assert "Blocked 1 case" in page
    assert "Skipped 192.0.2.10 : You are calling from it yourself." in page
    assert again(own).enforcement == "none"
    assert again(other).enforcement == "block"


def test_no_more_cases_are_acted_on_than_a_page_shows(lead: Client) -> None:
    hidden, shown = file(finding()), many(200)

    page = lead.get(act_on("judge", *shown, hidden))
    forged = ",".join(f"{case.pk}:1" for case in [*shown, hidden])
    lead.post(act_on("judge"), {"reason": WHY, "verdict": "benign", "versions": forged})

    assert len(page.context["rows"]) == 200
    assert again(shown[0]).verdict == "benign"
    assert again(hidden).verdict == ""


# Afterwards


def undo(client: Client, response: Any) -> Any:
    return client.post(response.redirect_chain[-1][0], follow=True)


def test_a_bulk_action_leaves_a_page_that_says_what_was_done_and_undoes_it(analyst: Client) -> None:
    first, second = file(finding()), file(finding(network="198.51.100.4"))

    response = act(analyst, "block", first, second, hours="24", malicious="on")
    undone = undo(analyst, response)

    page, after = text_of(response), text_of(undone)
    assert "Blocked 2 cases Blocked by dana" in page
    assert f"Why: {WHY} Possible until" in page
    assert re.search(r"\(9 minutes left|\(10 minutes left", page)
    assert "198.51.100.4 : triage: to review → closed" in page
    assert "Took back 2 cases" in after
    assert "203.0.113.9 : triage: closed → to review" in after
    assert "This took back what was done before" in after
    assert (again(first).triage, first.enforcement) == ("open", "none")
    assert not Decision.objects.standing(datetime.now(UTC)).exists()
    assert "It was taken back: see what became of it" in text_of(analyst.get(response.redirect_chain[-1][0]))


def test_an_undo_says_what_it_left(analyst: Client) -> None:
    first, second = file(finding()), file(finding(network="198.51.100.4"))
    response = act(analyst, "judge", first, second, verdict="benign")
    apply(Order(Action.COMMENT, WHY), {first.pk: None}, actor=LEE, now=datetime.now(UTC))

    after = text_of(undo(analyst, response))

    assert "Took back 1 case" in after
    assert "Skipped 203.0.113.9 : It was changed since." in after
    assert (again(first).triage, again(second).triage) == ("closed", "open")


def test_what_is_too_old_is_told_and_stays(analyst: Client, now: datetime) -> None:
    case = file(finding())
    dana = get_user_model().objects.get()
    order, actor = Order(Action.JUDGE, WHY, verdict="benign"), Actor(id=str(dana.pk), name="dana")
    batch = apply(order, {case.pk: None}, actor=actor, now=now - timedelta(minutes=11)).batch
    address = f"{QUEUE}batch/{batch}/"

    page, posted = analyst.get(address), analyst.post(address, follow=True)
    of_viewer = of_role("Security viewer").post(address)

    assert "Undo" not in [one.get("value") for one in read(page).all("input")]
    assert "Nothing was taken back. It was done more than 10 minutes ago" in messages(posted)
    assert of_viewer.status_code == 403
    assert again(case).verdict == "benign"


def test_what_somebody_else_did_is_a_leads_to_undo(lead: Client) -> None:
    case = file(finding())
    batch = apply(Order(Action.JUDGE, WHY, verdict="benign"), {case.pk: None}, actor=LEE, now=datetime.now(UTC)).batch
    address = f"{QUEUE}batch/{batch}/"
    analyst, viewer = of_role("Security analyst"), of_role("Security viewer")

    buttons = [
        "Undo" in [one.get("value") for one in read(client.get(address)).all("input")]
        for client in (viewer, analyst, lead)
    ]
    posted = [client.post(address).status_code for client in (viewer, analyst, lead)]

    assert buttons == [False, False, True]
    assert posted == [403, 403, 302]
    assert again(case).verdict == ""


def test_a_batch_is_for_those_who_see_cases(staff: Staff, analyst: Client) -> None:
    response = act(analyst, "judge", file(finding()), file(finding(network="198.51.100.4")), verdict="benign")
    address = response.redirect_chain[-1][0]

    assert staff(name="sam").get(address).status_code == 403
    assert Client().get(address)["Location"].startswith("/admin/login/")
    assert analyst.get(f"{QUEUE}batch/{uuid4()}/").status_code == 404


def test_a_batch_of_which_all_was_skipped_says_why(analyst: Client) -> None:
    first, second = file(finding()), file(finding(network="198.51.100.4"))
    shown = versions(first, second)
    apply(Order(Action.COMMENT, WHY), {first.pk: None, second.pk: None}, actor=LEE, now=datetime.now(UTC))

    posted = {"reason": WHY, "verdict": "benign", "versions": shown}
    page = text_of(analyst.post(act_on("judge", first, second), posted, follow=True))

    assert "Nothing was done" in page
    assert page.count("Changed by lee") == 2
    assert ATTACKER in page
    assert ATTACKER not in str(dict(analyst.session))  # where erasure would not find it


def test_a_batch_whose_words_were_erased_says_so(analyst: Client) -> None:
    response = act(analyst, "judge", file(finding()), file(finding(network="198.51.100.4")), verdict="benign")
    ReviewText.objects.all().delete()

    page = text_of(analyst.get(response.redirect_chain[-1][0]))

    assert "Why: erased." in page
    assert "(address erased)" in page


def test_one_finds_back_to_the_queue_as_it_was_filtered(analyst: Client) -> None:
    first, second = file(finding()), file(finding(network="198.51.100.4"))
    kept = "&_changelist_filters=q%3D203.0.113.0%2F24"

    one = analyst.get(act_on("judge", first) + kept)
    both = analyst.get(act_on("judge", first, second) + kept)
    posted = {"reason": WHY, "verdict": "benign", "versions": versions(first)}
    done = analyst.post(act_on("judge", first) + kept, posted)

    assert one.context["back"] == f"{page_of(first)}?_changelist_filters=q%3D203.0.113.0%2F24" == done["Location"]
    assert both.context["back"] == f"{QUEUE}?q=203.0.113.0/24"


def test_two_hundred_are_done_and_undone(lead: Client) -> None:
    chosen = many(200)

    response = act(lead, "block", *chosen, hours="1")
    page = text_of(undo(lead, response))

    assert "Took back 200 cases" in page
    assert not Decision.objects.standing(datetime.now(UTC)).exists()


def test_a_blocked_network_is_refused_at_the_door_until_it_is_unblocked(
    analyst: Client, django_capture_on_commit_callbacks: Commit
) -> None:
    case, visitor = file(finding()), Client(REMOTE_ADDR=ATTACKER)
    assert visitor.get("/nothing-here").status_code == 404

    with django_capture_on_commit_callbacks(execute=True):
        act(analyst, "block", case, hours="1")
    refused = visitor.get("/nothing-here")

    with django_capture_on_commit_callbacks(execute=True):
        act(analyst, "unblock", case, reason="A customer called")
    passed = visitor.get("/nothing-here")

    assert refused.status_code == 403
    assert "not accepted" in refused.json()["detail"]
    assert passed.status_code == 404
    assert [record.action for record in ReviewAction.objects.order_by("id")] == ["block", "unblock"]


# What strangers and colleagues wrote, and what a strict policy allows


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_and_rules_are_inert_and_visible(analyst: Client, text: str) -> None:
    text = text.replace("\x00", "").replace("\udc80", "")  # what no database stores

    def pages(text: str, *networks: str) -> list[Page]:
        chosen = [file(finding(text[:60], network=network)) for network in networks]
        user = get_user_model().objects.create(username=text, is_superuser=True)
        SuspiciousIP.objects.update(assignee=user)
        stale = versions(*chosen)
        batch = apply(
            Order(Action.JUDGE, text + ".....", verdict="benign"),
            {case.pk: None for case in chosen[1:]},
            actor=Actor(id="9", name=text),
            now=datetime.now(UTC),
        ).batch
        shown = [
            read(analyst.get(act_on("assign", *chosen) + f"&assignee={user.pk}")),
            read(analyst.post(act_on("judge", *chosen), {"versions": stale, "reason": "no", "verdict": text})),
            read(analyst.get(f"{QUEUE}batch/{batch}/")),
        ]
        SuspiciousIP.objects.all().delete()
        user.delete()
        return shown

    expected = pages("harmless", "203.0.113.1", "203.0.113.2")
    for page, harmless in zip(pages(text, "203.0.113.1", "203.0.113.2"), expected, strict=True):
        assert_inert_and_visible(page, harmless, text)


@pytest.mark.parametrize("action", [action.value for action in Action])
def test_the_pages_hold_nothing_that_a_strict_policy_refuses(lead: Client, action: str) -> None:
    first, second = file(finding()), file(finding(network="198.51.100.4"))

    assert_strict(read(lead.get(act_on(action, first, second))))
    assert_strict(read(lead.post(act_on(action, first), {"versions": versions(first), "reason": "no"})))
    assert_strict(read(act(lead, action, first, second, **GIVEN[action])))


def test_an_allow_list_of_many_is_asked_once(lead: Client, now: datetime) -> None:
    for number in range(20):
        network = f"192.0.3.{number}"
        decisions.decide("allow", network, until=None, reason="Ours", actor="kim", by_person=True, now=now)

    chosen = [file(finding(network=f"192.0.3.{number}")) for number in range(19, 22)]
    page = lead.get(act_on("block", *chosen))

    assert [case for case, _ in page.context["skipped"]] == chosen[:1]
