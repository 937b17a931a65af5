"""The case page: why, since when, who did what, what is beside it, and what this person may do."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ip_tracking import cases
from ip_tracking.detection.finding import Severity
from ip_tracking.gate import decisions
from ip_tracking.models import CaseFinding, Decision, ReviewText, SuspiciousIP
from ip_tracking.review import case as case_page
from ip_tracking.review import traffic
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, Order
from ip_tracking.review.undo import undo
from tests.review.conftest import Staff, file
from tests.review.pages import (
    HOSTILE,
    QUEUE,
    WHY,
    Page,
    again,
    assert_inert_and_visible,
    assert_strict,
    messages,
    page_of,
    read,
    text_of,
)
from tests.traffic import ATTACKER, NOON, event, finding, stored

pytestmark = pytest.mark.django_db

LEE = Actor(id="8", name="lee")
NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def did(action: Action, case: SuspiciousIP, reason: str = WHY, *, now: datetime | None = None, **how: Any) -> Any:
    return apply(Order(action, reason, **how), {case.pk: None}, actor=LEE, now=now or datetime.now(UTC)).batch


def links(page: Page) -> list[str]:
    return [attributes["href"] or "" for attributes in page.all("a") if "href" in attributes]


# The state


def test_the_state_is_told_in_words_and_shape(analyst: Client) -> None:
    case = file(finding())
    did(Action.SNOOZE, case, until=NOW + timedelta(days=2, hours=1))

    page = text_of(analyst.get(page_of(case)))

    assert "Severity ▲ High Score 40 Triage Snoozed until" in page
    assert "left), or until its score is 60" in page
    assert "Verdict None yet Enforcement Not enforced Assigned to nobody" in page
    assert "Source live Version 2" in page


def test_what_stands_against_it_is_told_with_the_time_left(analyst: Client) -> None:
    case = file(finding())
    did(Action.BLOCK, case, hours=4, now=datetime.now(UTC))

    page = text_of(analyst.get(page_of(case)))

    assert "Enforcement Blocked until" in page
    assert re.search(r"\(3 hours, 5\d minutes left\)", page)
    assert "Block by lee until" in page


def test_a_case_that_came_back_says_so(analyst: Client) -> None:
    case = file(finding())
    did(Action.JUDGE, case, verdict="malicious", now=NOON)
    cases.file([finding("probing", first=NOON + HOUR)], now=NOON + HOUR)

    assert "It came back after it was closed" in text_of(analyst.get(page_of(case)))


def test_every_time_is_given_in_utc_for_people_and_programs(analyst: Client) -> None:
    case = file(finding())

    page = read(analyst.get(page_of(case)))

    found = {time["datetime"] for time in page.all("time")}
    assert "2026-03-02T12:00:00+00:00" in found
    assert "2026-03-02 12:00:00 UTC" in page.text


# What may be done


def offered(client: Client, case: SuspiciousIP) -> list[str]:
    start = f"{QUEUE}act/"
    return [link[len(start) :].split("/")[0] for link in links(read(client.get(page_of(case)))) if start in link]


def of_role(role: str) -> Client:
    user: Any = get_user_model().objects.create_user(role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client(REMOTE_ADDR="192.0.2.10")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        ("Security viewer", []),
        ("Security analyst", ["assign", "comment", "snooze", "judge", "block"]),
        ("Security lead", ["assign", "comment", "snooze", "judge", "block", "allow"]),
    ],
)
def test_each_role_is_offered_what_it_may_do(role: str, actions: list[str]) -> None:
    assert offered(of_role(role), file(finding())) == actions


def test_only_what_makes_sense_is_offered(analyst: Client) -> None:
    case = file(finding())
    did(Action.BLOCK, case, hours=1, verdict="malicious")

    assert offered(analyst, case) == ["assign", "comment", "judge", "reopen", "block", "unblock"]


def test_one_takes_a_case_and_gives_it_back(analyst: Client) -> None:
    case, dana = file(finding()), get_user_model().objects.get()

    before = links(read(analyst.get(page_of(case))))
    SuspiciousIP.objects.update(assignee=dana)
    after = read(analyst.get(page_of(case)))

    assert f"{QUEUE}act/assign/?ids={case.pk}&assignee={dana.pk}" in before
    assert f"{QUEUE}act/assign/?ids={case.pk}&assignee=" in links(after)
    assert "Assigned to dana" in " ".join(" ".join(after.text).split())


def test_a_viewer_is_told_what_acting_takes(staff: Staff) -> None:
    assert "To act on them takes the group Security analyst." in text_of(staff("view").get(page_of(file(finding()))))


# Why


def test_the_case_page_says_why_with_the_count_against_the_limit_and_the_evidence(analyst: Client) -> None:
    shown = event(path="/api/v1/login/", method="POST", status=401, user_agent="curl/8", request_id="the-request")
    case = file(finding(count=37, evidence=(shown,)))

    page = text_of(analyst.get(page_of(case)))

    assert "Score 40 = 40 login-brute-force." in page
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
    assert "Score 100 = 60 probing + 40 older findings." in page
    assert "3 older findings not shown; 40 of the score come from there." in page


def test_a_finding_too_old_to_count_says_so(analyst: Client) -> None:
    case = file(finding(), finding("exploit-attempt", first=NOON - timedelta(days=9)))

    page = text_of(analyst.get(page_of(case)))

    assert "too old to count" in page
    assert "Score 40 = 40 login-brute-force." in page


def test_a_finding_of_a_rule_that_is_gone_is_still_shown(analyst: Client) -> None:
    case = file(finding("yesterdays-rule"))

    assert "This rule no longer exists." in text_of(analyst.get(page_of(case)))


def test_a_case_without_findings_or_evidence_is_still_shown(analyst: Client) -> None:
    """What erasure leaves."""
    bare, empty = file(finding()), file(finding(network="198.51.100.4"))
    bare.findings.all().delete()
    empty.findings.update(evidence=[])

    assert "No finding is left." in text_of(analyst.get(page_of(bare)))
    assert "No evidence is left" in text_of(analyst.get(page_of(empty)))


def test_a_case_that_is_not_there_is_told_and_not_an_error(analyst: Client) -> None:
    response = analyst.get(f"{QUEUE}4711/change/", follow=True)

    assert "4711" in messages(response)


# The timeline


def rows_of(page: Page) -> str:
    return " ".join(" ".join(page.text).split())


def test_the_timeline_counts_requests_by_what_became_of_them_and_says_it_in_a_table(analyst: Client) -> None:
    case, hour = file(finding()), NOW.replace(minute=0, second=0, microsecond=0) - 2 * HOUR
    stored(
        *[event(hour + timedelta(minutes=number)) for number in range(3)],
        event(hour, status=404),
        event(hour, status=403, refused="block"),
        event(hour + HOUR, status=500),
        event(hour, network="198.51.100.4"),
        event(hour - 30 * HOUR),
    )
    did(Action.COMMENT, case, now=hour + timedelta(minutes=5))

    page = read(analyst.get(page_of(case)))

    text = rows_of(page)
    assert f"{hour:%Y-%m-%d %H:%M:%S} UTC 3 1 0 1 review {hour:%Y-%m-%d} {hour:%H}:05 UTC: Commented by lee" in text
    assert f"{hour + HOUR:%Y-%m-%d %H:%M:%S} UTC 0 0 1 0" in text
    assert "All 3 1 1 1" in text
    assert any(svg.get("class") == "chart timeline" for svg in page.all("svg"))


@pytest.mark.parametrize(("period", "counted"), [("24h", 1), ("7d", 2), ("30d", 3), ("", 1), ("9y", 1), ("<b>", 1)])
def test_the_timeline_goes_back_as_far_as_is_asked(analyst: Client, period: str, counted: int) -> None:
    case = file(finding())
    stored(*[event(NOW - timedelta(days=days)) for days in (0, 3, 20, 40)])

    page = text_of(analyst.get(page_of(case), {"period": period}))

    assert f"All {counted} 0 0 0" in page


def test_of_the_loudest_the_latest_are_counted_and_it_says_so(analyst: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "MOST_ROWS", 3)
    case = file(finding())
    stored(*[event(NOW - timedelta(minutes=minutes)) for minutes in range(5)])

    page = text_of(analyst.get(page_of(case)))

    assert "All 3 0 0 0" in page
    assert "Only its latest were counted" in page


def test_without_requests_the_timeline_says_what_to_do(analyst: Client) -> None:
    assert "The request log holds none of this time: try a longer one." in text_of(
        analyst.get(page_of(file(finding())))
    )


# What was before


def test_earlier_verdicts_and_served_decisions_are_told(analyst: Client) -> None:
    case = file(finding())
    did(Action.JUDGE, case, "Scanner of our own", verdict="benign", now=NOON)
    did(Action.REOPEN, case, "", now=NOON + HOUR)
    Decision.objects.create(
        kind="block", network=ATTACKER, until=NOW - HOUR, reason="probing", actor="detector", by_person=False
    )

    page = text_of(analyst.get(page_of(case)))

    assert "Earlier verdicts Benign, 2026-03-02 12:00:00 UTC , lee: Scanner of our own" in page
    assert "Earlier decisions Block by detector," in page
    assert "its whole term: probing" in page


def test_the_verdict_that_holds_is_not_an_earlier_one(analyst: Client) -> None:
    case = file(finding())
    did(Action.JUDGE, case, verdict="benign")

    assert "No: no verdict before" in text_of(analyst.get(page_of(case)))


def test_the_whole_history_is_told_in_order_with_detectors_and_what_was_taken_back(analyst: Client) -> None:
    case, now = file(finding()), datetime.now(UTC)
    decisions.decide("block", ATTACKER, until=None, reason="probing", actor="detector", by_person=False, now=now)
    did(Action.COMMENT, case, "Asked the hoster.\r\nNo answer yet.", now=now + HOUR)
    batch = did(Action.JUDGE, case, verdict="testing", now=now + 2 * HOUR)
    undo(batch, actor=LEE, now=now + 2 * HOUR + timedelta(minutes=1))

    page = text_of(analyst.get(page_of(case)))

    history = page[page.index("What people did, and what detectors decided") :]
    told = [
        "Took back by lee; triage: closed → to review",
        "Judged by lee (taken back); triage: to review → closed, verdict: none yet → testing",
        "Commented by lee",
        "Blocked by detector",
    ]
    assert sorted(told, key=history.index) == told
    assert "Asked the hoster. No answer yet." in page[: page.index("History What")]


def test_what_was_erased_says_so(analyst: Client) -> None:
    case = file(finding())
    did(Action.COMMENT, case, "A name and a telephone number")
    ReviewText.objects.all().delete()

    page = text_of(analyst.get(page_of(case)))

    assert "lee: erased" in page
    assert "telephone" not in page


def test_a_wider_decision_in_force_is_told(analyst: Client) -> None:
    case = file(finding())
    decisions.decide("allow", "203.0.113.0/24", until=None, reason="Ours", actor="kim", by_person=True, now=NOW)

    page = text_of(analyst.get(page_of(case)))

    assert "Allow of 203.0.113.0/24, around it, by kim until somebody ends it: Ours" in page


def test_the_admins_own_history_leads_to_ours(analyst: Client) -> None:
    case = file(finding())

    assert analyst.get(f"{QUEUE}{case.pk}/history/")["Location"] == f"{page_of(case)}#history"


# What is beside it


@pytest.mark.parametrize(
    ("network", "around", "inside", "outside"),
    [
        (ATTACKER, "203.0.113.0/24", "203.0.113.77", "203.0.112.9"),
        ("2001:db8:1:2::/64", "2001:db8:1::/48", "2001:db8:1:3::/64", "2001:db8:2::/64"),
    ],
)
def test_cases_next_door_are_counted_and_the_worst_shown(
    analyst: Client, network: str, around: str, inside: str, outside: str
) -> None:
    case = file(finding(network=network))
    file(finding(network=inside))
    file(finding(network=outside))

    page = read(analyst.get(page_of(case)))

    text = rows_of(page)
    assert f"1 more case in {around}" in text
    assert f"{inside} : high, score 40, login-brute-force, to review, not enforced" in text
    assert any(link.startswith(f"{QUEUE}?q={around.replace('/', '%2F').replace(':', '%3A')}") for link in links(page))


@pytest.mark.parametrize("order", ["", "o=score", "o=rule", "o=-network", "o=enforced", "o=-enforced"])
def test_previous_and_next_follow_the_queue_as_it_is_ordered(analyst: Client, order: str) -> None:
    """Of those that are alike, and of empty columns, too."""
    untils = [None, NOW + HOUR, None, NOW + 2 * HOUR, NOW + HOUR]
    for number, (score, rule) in enumerate([(9, "a"), (7, "b"), (7, "a"), (5, "a"), (7, "b")]):
        network = f"198.51.100.{number}"
        file(finding(network=network))
        changed = {"score": score, "top_rule": rule, "enforced_until": untils[number]}
        SuspiciousIP.objects.filter(network=network).update(**changed)
    queue = list(analyst.get(f"{QUEUE}?{order}").context["cl"].result_list)

    def neighbours(case: SuspiciousIP) -> list[int | None]:
        context = analyst.get(page_of(case), {"_changelist_filters": order}).context
        return [int(url.split("/")[-3]) if url else None for url in (context["previous"], context["following"])]

    walked = [neighbours(case) for case in queue]

    ids: list[int | None] = [None, *(case.pk for case in queue), None]
    assert walked == [[ids[place], ids[place + 2]] for place in range(5)]


def test_previous_and_next_keep_the_filters(analyst: Client) -> None:
    first, _, last = (file(finding(network=network)) for network in ("198.51.100.1", "203.0.113.1", "198.51.100.2"))

    page = analyst.get(page_of(first), {"_changelist_filters": "q=198.51.100.0/24"})

    kept = "?_changelist_filters=q%3D198.51.100.0%2F24"
    reached = {page.context["previous"], page.context["following"]}
    assert reached == {"", f"{page_of(last)}{kept}"}
    assert page.context["queue_url"] == f"{QUEUE}?q=198.51.100.0/24"


def test_a_case_that_left_the_filtered_queue_still_leads_on(analyst: Client) -> None:
    first, second = file(finding()), file(finding(network="198.51.100.4", first=NOON - HOUR))
    did(Action.JUDGE, first, verdict="benign")

    page = analyst.get(page_of(first), {"_changelist_filters": "tab=review"})

    assert str(second.pk) in page.context["following"]
    assert page.context["previous"] == ""


@pytest.mark.parametrize("filters", ["nonsense=1", "q=%22", "p=99", "o=99.x"])
def test_filters_that_are_wrong_leave_the_case_as_it_is(analyst: Client, filters: str) -> None:
    assert analyst.get(page_of(file(finding())), {"_changelist_filters": filters}).status_code == 200


# What strangers and colleagues wrote


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_evidence_is_inert_and_visible(analyst: Client, text: str) -> None:
    case = file(finding(evidence=(event(),)))
    expected = read(analyst.get(page_of(case)))
    CaseFinding.objects.all().delete()
    hostile = event(path=f"/{text}", query=text, method=text[:16], user_agent=text, request_id=text, symptoms=text)
    file(finding(evidence=(hostile,)))

    assert_inert_and_visible(read(analyst.get(page_of(case))), expected, text)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_colleagues_and_files_are_inert_and_visible(analyst: Client, text: str) -> None:
    """Names, reasons, comments, rules and sources come from people and programs too."""
    text = text.replace("\x00", "").replace("\udc80", "")  # what no database stores

    def page(text: str, network: str) -> Page:
        case = file(finding(text[:60], network=network))
        user = get_user_model().objects.create(username=text)
        SuspiciousIP.objects.filter(pk=case.pk).update(assignee=user, source=text, note=text)
        actor = Actor(id="9", name=text)
        for action in (Action.COMMENT, Action.BLOCK, Action.UNBLOCK, Action.BLOCK):
            apply(Order(action, text + " " * 5 + ".", hours=1), {case.pk: None}, actor=actor, now=NOW)
        shown = read(analyst.get(page_of(case), {"_changelist_filters": text}))
        SuspiciousIP.objects.all().delete()
        return shown

    assert_inert_and_visible(page(text, ATTACKER), page("harmless", "198.51.100.4"), text)


def test_the_page_holds_nothing_that_a_strict_policy_refuses(analyst: Client) -> None:
    case = file(finding())
    did(Action.BLOCK, case, hours=1)
    did(Action.COMMENT, case)

    assert_strict(read(analyst.get(page_of(case))))


# What it costs


def test_a_large_case_costs_as_many_queries_as_a_small_one(staff: Staff) -> None:
    client, case = staff("view", "review", "block"), file(finding())

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(page_of(case), {"_changelist_filters": "q=203.0.113.0/24"}).status_code == 200
        return len(captured)

    queries()  # the first one of all fills Django's own memos
    few = queries()
    stored(*[event(NOW - timedelta(seconds=seconds)) for seconds in range(10_000)])
    row = case.findings.get()
    rows = [{**row.__dict__, "id": None, "hour": row.hour - number * HOUR} for number in range(1, 301)]
    CaseFinding.objects.bulk_create(
        CaseFinding(**{name: value for name, value in one.items() if name != "_state"}) for one in rows
    )
    for number in range(20):
        did(Action.COMMENT, case, f"Comment {number}")
        file(finding(network=f"203.0.113.{100 + number}"))

    assert queries() == few <= 12
    assert again(case).findings.count() == 301
