"""The queue, one case, its requests, its timeline and its history, for programs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.core import signing
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ip_tracking import cases
from ip_tracking.models import SuspiciousIP
from ip_tracking.security_api.cursor import SALT
from tests.review.api.conftest import CASES, WHY, act, again, case, errors, problem
from tests.traffic import ATTACKER, NOON, event, failed_login, finding, stored

pytestmark = pytest.mark.django_db

EVIL = "a\u202eb\x1b[31m\x00<script>=1+1\"'\n"


def ids(response: HttpResponse) -> list[int]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def walk(client: Client, path: str, between: Any = None) -> list[int]:
    """Every id, page by page; `between`: what happens after each page."""
    found: list[int] = []
    following: str | None = path
    while following:
        page = client.get(following)
        found += ids(page)
        following = page.json()["next"]
        if between:
            between()
    return found


# The queue


def test_the_gravest_comes_first_as_on_the_page(viewer: Client) -> None:
    mild, grave, worse = case(1, severity="medium", score=99), case(2), case(3, score=11)

    assert ids(viewer.get(CASES)) == [worse.pk, grave.pk, mild.pk]


def test_a_row_says_all_that_people_decide_by(viewer: Client) -> None:
    user: Any = get_user_model().objects.create_user("sam")
    one = case(assignee=user, source="old access.log", note="Not enforced: loopback.")

    [row] = viewer.get(CASES).json()["results"]

    assert row["assignee"] == {"id": str(user.pk), "name": "sam"}
    assert {name: row[name] for name in ("id", "version", "network", "severity", "triage", "source", "verdict")} == {
        "id": one.pk,
        "version": 1,
        "network": one.network,
        "severity": "high",
        "triage": "open",
        "source": "old access.log",
        "verdict": "",
    }
    assert not {"span_first", "severity_rank"} & set(row)


@pytest.mark.parametrize(
    ("tab", "found"),
    [
        ("", ["open", "woke", "mine", "blocked", "over"]),
        ("review", ["open", "woke", "mine", "blocked", "over"]),
        ("mine", ["mine"]),
        ("snoozed", ["snoozed"]),
        ("blocked", ["blocked"]),
        ("closed", ["closed"]),
        ("all", ["open", "woke", "mine", "blocked", "over", "snoozed", "closed"]),
    ],
)
def test_the_tabs_of_the_page(viewer: Client, tab: str, found: list[str]) -> None:
    now = datetime.now(UTC)
    vera = get_user_model().objects.get(username="vera")
    made = {
        "open": case(1),
        "woke": case(2, triage="snoozed", snoozed_until=now - timedelta(minutes=1)),
        "mine": case(3, assignee=vera),
        "blocked": case(4, enforcement="block", enforced_until=now + timedelta(hours=1)),
        "over": case(5, enforcement="block", enforced_until=now - timedelta(hours=1)),
        "snoozed": case(6, triage="snoozed"),
        "closed": case(7, triage="closed", verdict="benign"),
    }

    response = viewer.get(CASES, {"tab": tab} if tab else {})

    assert set(ids(response)) == {made[name].pk for name in found}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"severity": "critical"}, [2]),
        ({"verdict": "benign"}, [3]),
        ({"verdict": "none"}, [1, 2, 4]),
        ({"enforcement": "block"}, [4]),
        ({"source": "access.log"}, [2]),
        ({"rule": "probing"}, [1, 2, 3]),
        ({"assignee": "me"}, [1]),
        ({"assignee": "none"}, [2, 3, 4]),
        ({"q": "198.51.100.2"}, [2]),
        ({"q": "198.51.100.0/30 -verdict:benign"}, [1, 2]),
        ({"q": "severity:critical", "enforcement": "none"}, [2]),
        ({"q": "severity:critical", "enforcement": "block"}, []),
    ],
)
def test_the_filters_of_the_page(viewer: Client, filters: dict[str, str], found: list[int]) -> None:
    vera = get_user_model().objects.get(username="vera")
    made = {
        1: case(1, assignee=vera),
        2: case(2, severity="critical", source="access.log"),
        3: case(3, verdict="benign", triage="closed"),
        4: case(4, enforcement="block", top_rule="scraping"),
    }

    response = viewer.get(CASES, {"tab": "all"} | filters)

    assert set(ids(response)) == {made[number].pk for number in found}


@pytest.mark.parametrize(
    ("query", "parameter", "word"),
    [
        ("severty=high", "severty", "did you mean severity?"),
        ("severity=hihg", "severity", "is none of"),
        ("severity=high&severity=low", "severity", "once"),
        ("tab=to_review", "tab", "is none of"),
        ("assignee=somebody", "", "nobody's id"),
        ("q=rule:probng", "q", "Did you mean probing?"),
        ("q=203.0.113.9%20colour:red", "q", "(at character 13: 'colour:')"),
        ("q=%00", "q", "cannot be searched for"),
        ("source=%00", "", "NUL"),
        ("limit=0", "limit", "from 1 to 200"),
        ("limit=201", "limit", "from 1 to 200"),
        ("limit=%D9%A3", "limit", "from 1 to 200"),
        ("order=score", "order", "queue, id"),
        ("cursor=", "cursor", "Follow `next`"),
        ("cursor=cD0x", "cursor", "Follow `next`"),
    ],
)
def test_a_filter_that_makes_no_sense_finds_nothing_but_an_error(
    viewer: Client, query: str, parameter: str, word: str
) -> None:
    found = errors(viewer.get(f"{CASES}?{query}"))

    assert list(found) == [parameter]
    assert word in found[parameter]


def test_errors_show_strange_text_as_what_it_is(viewer: Client) -> None:
    response = viewer.get(CASES, {EVIL: "1", "severity": EVIL})

    assert response.status_code == 400
    assert response.content.isascii()
    assert "\\x1b" in response.json()["errors"][0]["parameter"]


# Pages


def test_pages_hold_every_case_once_in_the_order_of_the_queue(viewer: Client) -> None:
    """Two severities, few scores, the same moment: what orders them in the end is the id."""
    at = datetime.now(UTC)
    for number in range(60):
        case(number, severity=("high", "low")[number % 2], score=number % 3, last_seen=at)
    whole = ids(viewer.get(CASES, {"limit": 200}))

    assert walk(viewer, f"{CASES}?limit=7") == whole
    assert len(set(whole)) == 60


def test_the_next_page_asks_the_same_question(viewer: Client) -> None:
    for number in range(6):
        case(number, severity=("high", "low")[number % 2])

    page = viewer.get(CASES, {"severity": "low", "limit": "2", "q": "198.51.100.0/24"})

    asked = parse_qs(urlsplit(page.json()["next"]).query)
    assert (asked["severity"], asked["limit"], asked["q"]) == (["low"], ["2"], ["198.51.100.0/24"])
    assert len(walk(viewer, page.json()["next"])) == 1


def test_cases_that_come_and_go_shift_no_page(viewer: Client) -> None:
    """Between two pages a graver one is opened and one that was shown is closed."""
    stay = [case(number, score=100 - number).pk for number in range(30)]
    serial = iter(range(100, 200))
    closed: set[int] = set()

    def meanwhile() -> None:
        case(next(serial), severity="critical")
        closed.add(stay[len(closed)])
        SuspiciousIP.objects.filter(pk__in=closed).update(triage="closed")

    assert walk(viewer, f"{CASES}?limit=4", meanwhile) == stay


def test_by_id_no_case_is_missed_or_met_twice_however_they_change(viewer: Client) -> None:
    stay = [case(number, score=number).pk for number in range(30)]

    def meanwhile() -> None:
        for one in SuspiciousIP.objects.all():
            one.score = 1000 - one.score
            one.save()

    assert walk(viewer, f"{CASES}?limit=4&order=id", meanwhile) == stay


def test_a_cursor_of_ones_own_making_is_refused(viewer: Client) -> None:
    forged = signing.dumps(["x", "0", "0", "0"], key="another key", salt=SALT)

    assert list(errors(viewer.get(CASES, {"cursor": forged}))) == ["cursor"]


def test_a_cursor_is_of_its_order(viewer: Client) -> None:
    case(1), case(2)
    cursor = parse_qs(urlsplit(viewer.get(CASES, {"limit": "1"}).json()["next"]).query)["cursor"][0]

    assert list(errors(viewer.get(CASES, {"cursor": cursor, "order": "id"}))) == ["cursor"]


def test_a_full_page_costs_as_few_queries_as_a_short_one(viewer: Client) -> None:
    vera = get_user_model().objects.get(username="vera")
    counts = []
    for size in (1, 60):
        for number in range(size):
            case(number + size, assignee=vera)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            viewer.get(CASES)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 4  # the user, two kinds of permissions, the cases


# One case


def test_a_case_tells_why_what_stands_and_whom_a_block_would_meet(viewer: Client) -> None:
    cases.file([finding()], now=NOON)
    one = SuspiciousIP.objects.get()

    response = viewer.get(f"{CASES}{one.pk}/")

    shown = response.json()
    assert response["ETag"] == '"1"'
    [found] = shown["findings"]
    assert (found["rule"], found["count"], found["counts"]) == ("login-brute-force", 10, True)
    assert found["title"]
    assert found["evidence"][0]["path"] == "/login"
    assert shown["decisions"] == []
    assert set(shown["stakes"]) == {"accounts_failed", "accounts_logged_in", "users", "payments", "at_least"}


def test_the_decisions_in_force_are_told(analyst: Client) -> None:
    one = case()
    act(analyst, one, "block", {"hours": 24, "reason": WHY})

    [decision] = analyst.get(f"{CASES}{one.pk}/").json()["decisions"]

    assert (decision["kind"], decision["actor"], decision["reason"], decision["by_person"]) == (
        "block",
        "dana",
        WHY,
        True,
    )


def test_strange_text_arrives_whole_and_is_written_in_ascii(viewer: Client) -> None:
    evil = EVIL.replace("\x00", "")  # the log itself keeps none
    row = event(path=f"/{evil}", user_agent=evil)
    cases.file([finding(evidence=(row,))], now=NOON)
    stored(row)
    one = SuspiciousIP.objects.get()

    detail, events = viewer.get(f"{CASES}{one.pk}/"), viewer.get(f"{CASES}{one.pk}/events/")

    assert detail.json()["findings"][0]["evidence"][0]["user_agent"] == evil
    assert events.json()["results"][0]["user_agent"] == evil
    for response in (detail, events):
        assert response["Content-Type"] == "application/json"
        assert response.content.decode("ascii").isprintable()


@pytest.mark.parametrize("number", ["0", "4711", str(2**63 - 1), str(2**63), "9" * 40])
@pytest.mark.parametrize("below", ["", "events/", "timeline/", "history/"])
def test_a_case_that_is_not_there(viewer: Client, number: str, below: str) -> None:
    response = viewer.get(f"{CASES}{number}/{below}")

    assert response.status_code == 404
    assert problem(response)["detail"] == "There is no such case."


# Around it


def test_the_requests_of_its_network_page_by_page_the_latest_first(viewer: Client) -> None:
    one = case(network=ATTACKER)
    at = NOON
    stored(*(failed_login(at + timedelta(seconds=number // 4)) for number in range(30)))
    stored(event(network="198.51.100.250"))

    found: list[dict[str, Any]] = []
    following: str | None = f"{CASES}{one.pk}/events/?limit=7"
    while following:
        page = viewer.get(following).json()
        found += page["results"]
        following = page["next"]

    assert len({row["request_id"] for row in found}) == len(found) == 30
    moments = [row["at"] for row in found]
    assert moments == sorted(moments, reverse=True)
    assert {row["network"] if "network" in row else row["address"] for row in found} == {ATTACKER}
    assert found[0]["account"] == "ada"  # as stored: a worker keeps the keyed hash it was sent


@pytest.mark.parametrize(("period", "buckets", "step_s"), [("24h", 24, 3600), ("7d", 28, 21600), ("30d", 30, 86400)])
def test_the_timeline_counts_by_what_became_of_them(viewer: Client, period: str, buckets: int, step_s: int) -> None:
    one, now = case(network=ATTACKER), datetime.now(UTC)
    stored(event(now), event(now, status=404), event(now, status=500), event(now, status=429, refused="site"), at=now)

    shown = viewer.get(f"{CASES}{one.pk}/timeline/", {"period": period}).json()

    assert (shown["period"], shown["step_s"], len(shown["buckets"])) == (period, step_s, buckets)
    sums = {
        name: sum(bucket["counts"][name] for bucket in shown["buckets"]) for name in ("ok", "4xx", "5xx", "refused")
    }
    assert sums == {"ok": 1, "4xx": 1, "5xx": 1, "refused": 1}


def test_a_period_that_there_is_not(viewer: Client) -> None:
    assert list(errors(viewer.get(f"{CASES}{case().pk}/timeline/", {"period": "1y"}))) == ["period"]


def test_the_history_says_who_did_what_and_why(analyst: Client, lead: Client) -> None:
    one = case()
    act(analyst, one, "comment", {"reason": "Asked the hoster."})
    act(lead, one, "allow", {"hours": None, "reason": WHY})

    page = analyst.get(f"{CASES}{one.pk}/history/").json()

    assert page["next"] is None
    assert [(row["actor"], row["action"], row["reason"], row["via"]) for row in page["results"]] == [
        ("kim", "allow", WHY, "api"),
        ("dana", "comment", "Asked the hoster.", "api"),
    ]
    assert page["results"][0]["after"]["enforcement"] == "allow"
    assert "192.0.2.10" not in str(page)  # where colleagues sit is nothing for others


def test_the_history_has_pages(analyst: Client) -> None:
    one = case()
    for number in range(5):
        act(analyst, one, "comment", {"reason": f"Comment {number}"})

    numbers = walk(analyst, f"{CASES}{one.pk}/history/?limit=2")

    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 5
    assert again(one).version == 6
