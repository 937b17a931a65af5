"""The review desk: the queue, the case, and what may be done about it, by whom."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from ip_tracking.detection.finding import Severity
from ip_tracking.models import Decision, GateSwitch, ReviewAction, SuspiciousIP
from ip_tracking.review import case as case_page
from ip_tracking.review.actor import Actor
from ip_tracking.review.switch import turn
from tests.review.conftest import OFFICE, Staff, file
from tests.traffic import ATTACKER, NOON, event, finding

pytestmark = pytest.mark.django_db

Commit = Callable[..., AbstractContextManager[Any]]

QUEUE = "/admin/ip_tracking/suspiciousip/"
WHY = "Card testing since noon"


def page_of(case: SuspiciousIP) -> str:
    return f"{QUEUE}{case.pk}/change/"


def act_on(action: str, *cases: SuspiciousIP) -> str:
    return f"{QUEUE}act/{action}/?ids={','.join(str(case.pk) for case in cases)}"


def networks(response: HttpResponse) -> set[str]:
    return {case.network for case in response.context["cl"].result_list}


def messages(response: HttpResponse) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def again(case: SuspiciousIP) -> SuspiciousIP:
    case.refresh_from_db()
    return case


# Who may


@pytest.mark.parametrize("address", [QUEUE, f"{QUEUE}1/change/", f"{QUEUE}act/block/?ids=1"])
def test_strangers_are_sent_to_the_login(address: str) -> None:
    response = Client().get(address)

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("address", [QUEUE, f"{QUEUE}act/block/?ids=1"])
def test_staff_without_permission_is_refused(staff: Staff, address: str) -> None:
    assert staff().get(address).status_code == 403


def test_who_may_only_look_sees_no_actions_and_cannot_post_them(staff: Staff) -> None:
    case = file(finding())
    client = staff("view")

    queue, page = client.get(QUEUE), client.get(page_of(case))

    assert networks(queue) == {ATTACKER}
    assert "Block…" not in queue.content.decode() + page.content.decode()
    for action in ("block", "unblock", "judge"):
        assert client.get(act_on(action, case)).status_code == 403
        assert client.post(act_on(action, case), {"reason": WHY, "hours": "1"}).status_code == 403
    chosen = client.post(QUEUE, {"action": "block", "_selected_action": [case.pk]})
    assert "/act/" not in chosen.get("Location", "")
    assert again(case).version == 1


@pytest.mark.parametrize("verbs", [("view", "change", "delete", "add", "review", "block")])
def test_a_case_is_changed_through_actions_only(staff: Staff, verbs: tuple[str, ...]) -> None:
    case = file(finding())
    client = staff(*verbs)

    assert client.post(page_of(case), {"score": "0", "triage": "closed"}).status_code == 403
    assert client.get(f"{QUEUE}add/").status_code == 403
    assert client.post(f"{QUEUE}{case.pk}/delete/", {"post": "yes"}).status_code == 403
    assert again(case).triage == "open"


def test_a_post_without_djangos_token_is_refused(analyst: Client) -> None:
    case = file(finding())
    strict = Client(enforce_csrf_checks=True, REMOTE_ADDR=OFFICE)
    strict.cookies = analyst.cookies

    assert strict.post(act_on("block", case), {"reason": WHY, "hours": "1"}).status_code == 403
    assert not ReviewAction.objects.exists()


# The case


def test_the_case_page_says_why_with_the_count_against_the_limit_and_the_evidence(analyst: Client) -> None:
    shown = event(path="/api/v1/login/", method="POST", status=401, user_agent="curl/8", request_id="the-request")
    case = file(finding(count=37, evidence=(shown,)))

    page = text_of(analyst.get(page_of(case)))

    assert "High , score 40, to review" in page
    assert "Many failed logins login-brute-force, version 1, OAT-007" in page
    assert "37 in 300 s (limit 10)" in page
    assert "weight 40" in page
    assert "People give up or ask for a new password" in page
    assert "POST /api/v1/login/ 401" in page
    assert "curl/8 the-request" in page
    assert "None: requests of 203.0.113.9 pass" in page


def test_the_weights_shown_add_up_to_the_score(analyst: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_page, "FINDINGS_SHOWN", 3)
    case = file(
        *[finding("probing", severity=Severity.MEDIUM, first=NOON + timedelta(hours=hour)) for hour in range(5)],
        finding("exploit-attempt", first=NOON - timedelta(days=9)),
    )

    page = text_of(analyst.get(page_of(case)))

    assert case.score == 5 * 20
    assert page.count("weight 20") == 3
    assert "3 older findings not shown; 40 of the score come from there." in page


def test_a_finding_too_old_to_count_says_so(analyst: Client) -> None:
    case = file(finding(), finding("exploit-attempt", first=NOON - timedelta(days=9)))

    assert "too old to count" in text_of(analyst.get(page_of(case)))


def test_a_finding_of_a_rule_that_is_gone_is_still_shown(analyst: Client) -> None:
    case = file(finding("yesterdays-rule"))

    assert "This rule no longer exists." in text_of(analyst.get(page_of(case)))


def test_a_case_that_is_not_there_is_told_and_not_an_error(analyst: Client) -> None:
    response = analyst.get(f"{QUEUE}4711/change/", follow=True)

    assert "4711" in messages(response)


class Page(HTMLParser):
    """A page as a browser reads it: its elements and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def text_of(response: HttpResponse) -> str:
    assert response.status_code == 200
    return " ".join(" ".join(Page(response.content.decode()).text).split())


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table><h1>All clear</h1>",
    "{{ request.user.password }} {% debug %}",
    "javascript:alert(1)",
    "&lt;b&gt;",
    "\u202eevil\u2066\u200b",
    "\x1b[31m\x00\x08\udc80",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_evidence_is_inert_and_visible(analyst: Client, text: str) -> None:
    plain = file(finding(network="198.51.100.4"))
    hostile = file(
        finding(
            evidence=(
                event(path=f"/{text}", query=text, method=text[:16], user_agent=text, request_id=text, symptoms=text),
            )
        )
    )

    expected, page = (Page(analyst.get(page_of(case)).content.decode()) for case in (plain, hostile))

    assert [tag for tag, _ in page.elements] == [tag for tag, _ in expected.elements]
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    shown = "".join(page.text)
    assert not set(shown) & set("\u202e\u2066\u200b\x1b\x00\x08\udc80")
    if text.isascii() and text.isprintable():
        assert text in shown
    else:
        assert "\\x" in shown or "\\u" in shown


# Acting


def test_chosen_cases_are_asked_about_before_anything_happens(analyst: Client) -> None:
    first, second = file(finding()), file(finding(network="198.51.100.4"))

    response = analyst.post(QUEUE, {"action": "block", "_selected_action": [first.pk, second.pk]}, follow=True)

    asked = text_of(response)
    assert "Block 2 cases" in asked
    assert "203.0.113.9: high, score 40, login-brute-force, not enforced" in asked
    assert not ReviewAction.objects.exists()


def test_a_block_is_done_and_shown_on_the_case(analyst: Client) -> None:
    case = file(finding())

    response = analyst.post(act_on("block", case), {"reason": WHY, "hours": "24"}, follow=True)

    page = text_of(response)
    record = ReviewAction.objects.get()
    assert response.redirect_chain == [(page_of(case), 302)]
    assert "Done: block 203.0.113.9." in messages(response)
    assert "Block by dana until" in page
    assert f"dana: block. {WHY}" in page
    assert (record.actor_name, record.via) == ("dana", "admin")
    assert record.request_id
    assert timedelta(0) <= datetime.now(UTC) - record.at < timedelta(minutes=1)
    assert again(case).enforcement == "block"


@pytest.mark.parametrize(
    ("posted", "told"),
    [
        ({"reason": "spam", "hours": "1"}, "at least 5 characters"),
        ({"reason": "", "hours": "1"}, "This field is required"),
        ({"reason": WHY}, "This field is required"),  # nobody is blocked for good by leaving something out
        ({"reason": WHY, "hours": "100000"}, "Select a valid choice"),
        ({"reason": "          ", "hours": "1"}, "This field is required"),
    ],
)
def test_what_is_missing_is_told_and_nothing_done(analyst: Client, posted: dict[str, str], told: str) -> None:
    case = file(finding())

    response = analyst.post(act_on("block", case), posted)

    assert told in text_of(response)
    assert again(case).enforcement == "none"
    assert not ReviewAction.objects.exists()


def test_a_block_for_good_is_a_choice_of_its_own(analyst: Client) -> None:
    case = file(finding())

    analyst.post(act_on("block", case), {"reason": WHY, "hours": "for good"})

    assert Decision.objects.get().until is None
    assert "Blocked for good" in text_of(analyst.get(QUEUE, {"tab": "blocked"}))


def test_a_network_that_may_not_be_blocked_is_left_and_told(analyst: Client) -> None:
    own, other = file(finding(network=OFFICE)), file(finding())

    response = analyst.post(act_on("block", own, other), {"reason": WHY, "hours": "1"}, follow=True)

    assert "192.0.2.10 was left as it is. You are calling from it yourself." in messages(response)
    assert again(own).enforcement == "none"
    assert again(other).enforcement == "block"


@pytest.mark.parametrize("ids", ["", "x", "0", "-1", "9" * 18, "9" * 5_000, "1 OR 1=1", "\u0661", "1,,2"])
def test_ids_that_name_no_case_are_told_so(analyst: Client, ids: str) -> None:
    response = analyst.get(f"{QUEUE}act/block/", {"ids": ids})

    assert "No case was chosen." in text_of(response)


def test_no_more_cases_are_acted_on_than_were_shown(analyst: Client) -> None:
    shown, hidden = file(finding()), file(finding(network="198.51.100.4"))
    ids = ",".join([str(shown.pk)] + ["0"] * 199 + [str(hidden.pk)])

    analyst.post(f"{QUEUE}act/judge/?ids={ids}", {"reason": WHY, "verdict": "benign"})

    assert again(shown).verdict == "benign"
    assert again(hidden).verdict == ""


@pytest.mark.parametrize("action", ["delete", "BLOCK", "allow"])
def test_an_action_that_there_is_not_is_refused(analyst: Client, action: str) -> None:
    assert analyst.post(f"{QUEUE}act/{action}/?ids=1", {"reason": WHY}).status_code == 403


def test_a_blocked_network_is_refused_at_the_door_until_it_is_unblocked(
    analyst: Client, django_capture_on_commit_callbacks: Commit
) -> None:
    case, visitor = file(finding()), Client(REMOTE_ADDR=ATTACKER)
    assert visitor.get("/nothing-here").status_code == 404

    with django_capture_on_commit_callbacks(execute=True):
        analyst.post(act_on("block", case), {"reason": WHY, "hours": "1"})
    refused = visitor.get("/nothing-here")

    with django_capture_on_commit_callbacks(execute=True):
        analyst.post(act_on("unblock", case), {"reason": "A customer called"})
    passed = visitor.get("/nothing-here")

    assert refused.status_code == 403
    assert "not accepted" in refused.json()["detail"]
    assert passed.status_code == 404
    assert [record.action for record in ReviewAction.objects.order_by("id")] == ["block", "unblock"]


@pytest.mark.parametrize("model", ["decision", "reviewaction"])
def test_decisions_and_records_are_looked_at_and_never_changed(model: str, staff: Staff) -> None:
    case, admin_client = file(finding()), staff(superuser=True)
    admin_client.post(act_on("block", case), {"reason": WHY, "hours": "1"})
    row = (Decision if model == "decision" else ReviewAction).objects.get()
    address = f"/admin/ip_tracking/{model}/"

    assert WHY in text_of(admin_client.get(address))
    assert WHY in text_of(admin_client.get(f"{address}{row.pk}/change/"))
    assert admin_client.post(f"{address}{row.pk}/change/", {"reason": "other"}).status_code == 403
    assert admin_client.post(f"{address}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.get(f"{address}add/").status_code == 403


# The switch


@pytest.fixture
def switched_off() -> GateSwitch:
    dana = Actor(id="", name="dana")
    return turn(GateSwitch.Mode.OFF, 1, actor=dana, reason="<b>refuses all</b>", now=datetime.now(UTC))


def test_the_queue_says_that_the_gate_is_off_until_when_by_whom_and_why(
    analyst: Client, switched_off: GateSwitch
) -> None:
    page = analyst.get(QUEUE).content.decode()

    said = f"The gate is off until {switched_off.until:%H:%M} UTC (dana: &lt;b&gt;refuses all&lt;/b&gt;)"
    assert said in page


def test_the_queue_says_that_the_setting_keeps_the_gate_off(analyst: Client, tracking: Callable[..., object]) -> None:
    tracking(MODE="shadow")

    assert "The gate is in shadow, as IP_TRACKING[&#x27;MODE&#x27;] says" in analyst.get(QUEUE).content.decode()


def test_the_queue_says_nothing_of_a_gate_that_enforces(analyst: Client) -> None:
    assert "The gate" not in analyst.get(QUEUE).content.decode()


def test_whoever_reviews_may_look_at_the_switch_and_nobody_may_change_it(
    staff: Staff, switched_off: GateSwitch
) -> None:
    reviewer, other = staff("view", "review", "block"), staff(name="sam")
    switches = "/admin/ip_tracking/gateswitch/"

    assert "refuses all" in reviewer.get(switches).content.decode()
    assert reviewer.get(f"{switches}{switched_off.pk}/change/").status_code == 200
    assert reviewer.post(f"{switches}{switched_off.pk}/change/", {"mode": "on"}).status_code == 403
    assert reviewer.get(f"{switches}add/").status_code == 403
    assert other.get(switches).status_code == 403
