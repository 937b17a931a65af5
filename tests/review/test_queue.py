"""The review queue as staff sees it: tabs, filters, search, what a row tells, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ip_tracking import cases
from ip_tracking.detection.finding import Severity
from ip_tracking.models import CaseFinding, ReviewAction, SuspiciousIP
from ip_tracking.outcomes import account_key
from ip_tracking.record import partitions
from ip_tracking.review import queue
from ip_tracking.review import rows as queue_rows
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, Order
from ip_tracking.review.rows import duration
from ip_tracking.review.undo import undo
from tests.review.conftest import Staff, file
from tests.traffic import ATTACKER, NOON, event, failed_login, finding, stored

pytestmark = pytest.mark.django_db

QUEUE = "/admin/ip_tracking/suspiciousip/"
LEE = Actor(id="7", name="lee")
WHY = "Card testing since noon"

FIRST, SECOND, THIRD, FOURTH = (f"198.51.100.{number}" for number in range(1, 5))


def now() -> datetime:
    return datetime.now(UTC)


def ago(**time: float) -> datetime:
    return now() - timedelta(**time)


def do(action: Action, network: str, at: datetime | None = None, **how: Any) -> None:
    case = SuspiciousIP.objects.get(network=network)
    apply(Order(action, WHY, **how), {case.pk: None}, actor=LEE, now=at or now())


def change(network: str, **fields: Any) -> None:
    SuspiciousIP.objects.filter(network=network).update(**fields)


class Element:
    """One element of a page: its attributes, and the text within it."""

    def __init__(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.tag, self.attributes, self.pieces = tag, attributes, []

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())


VOID = {"input", "meta", "link", "br", "img", "circle", "path", "rect", "use"}


class Page(HTMLParser):
    """A page as a browser reads it."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        assert response.status_code == 200
        self.elements: list[Element] = []
        self.open: list[Element] = []
        self.feed(response.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        assert tag != "form" or "form" not in [one.tag for one in self.open], "browsers drop a form within a form"
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.pieces.append(data + " ")

    def all(self, tag: str, **attributes: str) -> list[Element]:
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [one for one in self.elements if one.tag == tag and wanted.items() <= one.attributes.items()]

    def one(self, tag: str, **attributes: str) -> Element:
        [element] = self.all(tag, **attributes)
        return element

    @property
    def text(self) -> str:
        return self.one("body").text

    def rows(self) -> list[str]:
        return [row.text for row in self.all("tr") if "data-case" in row.attributes]

    def row(self, network: str) -> str:
        [row] = [row for row in self.rows() if row.startswith(f"{network} ")]
        return row

    def link(self, text: str) -> str:
        [link] = [one for one in self.all("a") if one.text == text]
        return link.attributes["href"] or ""


def networks(response: HttpResponse) -> list[str]:
    assert response.status_code == 200
    return [row.split(" ")[0] for row in Page(response).rows()]


@pytest.fixture
def page(analyst: Client) -> Callable[..., Page]:
    """`page(tab="all")`."""

    def get(**question: str) -> Page:
        return Page(analyst.get(QUEUE, question))

    return get


@pytest.fixture
def four() -> None:
    """Four cases: each differs from the others in what the facets count."""
    file(finding("probing", network=FIRST, severity=Severity.MEDIUM))
    file(finding(network=SECOND, severity=Severity.CRITICAL))
    file(finding(network=THIRD))
    file(finding(network=FOURTH))
    change(FOURTH, source="old access.log")
    do(Action.JUDGE, THIRD, verdict="benign")
    do(Action.BLOCK, SECOND, hours=3)


# Tabs


def test_the_tabs_part_the_cases_and_say_how_many_there_are(staff: Staff) -> None:
    client = staff("view", "review")
    dana = get_user_model().objects.get(username="dana")
    for number in range(1, 8):
        file(finding(network=f"198.51.100.{number}"))
    do(Action.SNOOZE, "198.51.100.2", until=now() + timedelta(days=1))
    do(Action.SNOOZE, "198.51.100.3", until=ago(days=1), at=ago(days=2))  # its time has come
    do(Action.JUDGE, "198.51.100.4", verdict="testing")
    do(Action.BLOCK, "198.51.100.5", hours=1, verdict="malicious")
    do(Action.BLOCK, "198.51.100.6", hours=1, at=ago(hours=2))  # over
    do(Action.ASSIGN, "198.51.100.7", assignee=str(dana.pk))
    expected = {
        "review": {1, 3, 6, 7},
        "mine": {7},
        "snoozed": {2},
        "blocked": {5},
        "closed": {4, 5},
        "all": {1, 2, 3, 4, 5, 6, 7},
    }

    found = {tab: {int(name.split(".")[-1]) for name in networks(client.get(QUEUE, {"tab": tab}))} for tab in expected}
    shown = Page(client.get(QUEUE))

    assert found == expected
    tabs = [link.text for link in shown.all("a") if re.fullmatch(r"[\w ]+ \(\d+\)", link.text)][:6]
    assert tabs == ["To review (4)", "Mine (1)", "Snoozed (1)", "Blocked (1)", "Closed (2)", "All (7)"]
    assert "To review (4)" in [link.text for link in shown.all("a", aria_current="page")]


def test_the_gravest_case_comes_first_then_the_highest_score_then_the_latest(page: Callable[..., Page]) -> None:
    file(finding(network=FIRST, severity=Severity.MEDIUM))
    file(finding(network=SECOND, first=NOON))
    file(finding(network=THIRD, first=NOON + timedelta(minutes=5)))
    file(finding(network=FOURTH), finding("probing", network=FOURTH))
    file(finding(network=ATTACKER, severity=Severity.CRITICAL))

    assert [row.split(" ")[0] for row in page().rows()] == [ATTACKER, FOURTH, THIRD, SECOND, FIRST]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("network", [FIRST, SECOND, THIRD]),
        ("-network", [THIRD, SECOND, FIRST]),
        ("score", [SECOND, THIRD, FIRST]),
        ("-seen", [THIRD, FIRST, SECOND]),
        ("-enforced", [SECOND, FIRST, THIRD]),  # those without a time come last, whichever way
        ("enforced", [SECOND, FIRST, THIRD]),
    ],
)
def test_the_queue_is_ordered_by_a_column(order: str, expected: list[str], page: Callable[..., Page]) -> None:
    file(finding("probing", network=FIRST, first=NOON + timedelta(minutes=1)), finding(network=FIRST))
    file(finding("probing", network=SECOND, severity=Severity.MEDIUM))
    file(finding(network=THIRD, first=NOON + timedelta(minutes=5)))
    change(SECOND, enforced_until=now())

    shown = page(o=order)

    assert [row.split(" ")[0] for row in shown.rows()] == expected
    [sorted_by] = [one for one in shown.all("th") if "aria-sort" in one.attributes]
    assert sorted_by.attributes["aria-sort"] == ("descending" if order.startswith("-") else "ascending")


def test_the_page_says_how_long_the_oldest_case_waits(page: Callable[..., Page]) -> None:
    assert "Oldest waiting" not in page().text
    for network in (FIRST, SECOND, THIRD):
        file(finding(network=network))
    change(FIRST, created_at=ago(hours=7, minutes=12, seconds=5))
    # Closed long ago, and back since a finding of three days ago.
    change(SECOND, created_at=ago(days=90), judged_at=ago(days=80))
    CaseFinding.objects.filter(case__network=SECOND).update(last_seen=ago(days=3, hours=1, seconds=5))
    # It slept until yesterday.
    change(THIRD, created_at=ago(days=60), triage="snoozed", snoozed_until=ago(days=1, seconds=5))

    told = []
    for network in (SECOND, THIRD, FIRST):
        told.append(re.search(r"Oldest waiting: ([\w ]+?) (?:Search|$)", page().text)[1])
        change(network, triage="closed")

    assert told == ["3 d 1 h", "1 d 0 h", "7 h 12 min"]


# Facets


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ({"severity": "critical"}, {SECOND}),
        ({"rule": "probing"}, {FIRST}),
        ({"verdict": "benign"}, {THIRD}),
        ({"verdict": "none"}, {FIRST, SECOND, FOURTH}),
        ({"enforcement": "block"}, {SECOND}),
        ({"assignee": "none"}, {FIRST, SECOND, THIRD, FOURTH}),
        ({"source": "old access.log"}, {FOURTH}),
        ({"source": "live", "rule": "login-brute-force"}, {SECOND, THIRD}),
        ({"q": "198.51.100.0/31", "source": "live"}, {FIRST}),
        ({"severity": "no such thing"}, set()),
        ({"assignee": "4711"}, set()),
    ],
)
def test_the_queue_is_filtered(analyst: Client, question: dict[str, str], expected: set[str]) -> None:
    assert set(networks(analyst.get(QUEUE, {"tab": "all"} | question))) == expected


@pytest.mark.usefixtures("four")
def test_each_value_says_how_many_cases_it_would_leave(page: Callable[..., Page]) -> None:
    dana = get_user_model().objects.get(username="dana")
    do(Action.ASSIGN, FOURTH, assignee=str(dana.pk))

    every, critical = page(tab="all"), page(tab="all", severity="critical")

    for value in ("High (2)", "Medium (1)", "probing (1)", "None yet (3)", "Benign (1)", "dana (1)", "Nobody (3)"):
        assert every.link(value)
    assert critical.link("High (2)")  # its own facet is not narrowed by what was chosen in it
    assert critical.link("login-brute-force (1)")
    assert "probing (" not in critical.text
    assert critical.one("a", aria_current="true").text == "Critical (1)"


@pytest.mark.usefixtures("four")
def test_a_filter_that_finds_nothing_is_shown_and_can_be_taken_out(page: Callable[..., Page]) -> None:
    shown = page(tab="all", rule="yesterdays-rule")

    assert shown.one("a", aria_current="true").text == "yesterdays-rule (0)"
    assert "Nothing here matches this search and these filters." in shown.text
    assert shown.link("✖ Take all filters out") == "?tab=all"


def test_all_of_a_question_stands_in_the_address(page: Callable[..., Page]) -> None:
    file(finding(network=FIRST))

    shown = page(q="198.51.100.0/24", severity="high", o="-score")

    asked = {"q": ["198.51.100.0/24"], "severity": ["high"], "o": ["-score"]}
    assert parse_qs(urlsplit(shown.link("login-brute-force (1)")).query) == asked | {"rule": ["login-brute-force"]}
    hidden = {one.attributes["name"]: one.attributes["value"] for one in shown.all("input", type="hidden")}
    assert hidden.items() >= {"severity": "high", "o": "-score"}.items()
    [case] = shown.all("a", class_="case-link")
    kept = parse_qs(urlsplit(case.attributes["href"]).query)["_changelist_filters"]
    assert parse_qs(kept[0]) == asked


def test_a_long_facet_lists_the_most_frequent_and_what_was_chosen(page: Callable[..., Page]) -> None:
    for number in range(20):
        file(finding(network=f"198.51.100.{number}"))
        change(f"198.51.100.{number}", source=f"log-{number:02}")
    file(finding())
    file(finding(network="203.0.113.10"))

    shown = page(source="log-19")

    sources = [link.text for link in shown.all("a") if link.text.startswith(("log-", "live"))]
    assert sources[0] == "live (2)"
    assert len(sources) == queue.VALUES_SHOWN + 1
    assert "log-19 (1)" in sources
    assert "5 more: search for source:…" in shown.text


@pytest.mark.parametrize(
    "question",
    [
        {"tab": "secret"},
        {"o": "password"},
        {"o": "--score"},
        {"assignee": "dana"},
        {"assignee": "9" * 30},
        {"assignee": "9" * 5_000},
        {"severity": "\x00"},
        {"source": "a\x00b"},
        {"assignee__password__startswith": "p"},
        {"triage__exact": "open"},
    ],
)
def test_what_the_address_cannot_mean_is_told_and_the_whole_queue_shown(
    analyst: Client, question: dict[str, str]
) -> None:
    file(finding())

    response = analyst.get(QUEUE, question, follow=True)

    assert response.redirect_chain == [(f"{QUEUE}?e=1", 302)]
    assert networks(response) == [ATTACKER]
    assert "This is the whole queue." in Page(response).text


# Search


@pytest.mark.parametrize(
    ("searched", "expected"),
    [
        ("203.0.113.9", {"203.0.113.9"}),
        (" 203.0.113.9 ", {"203.0.113.9"}),
        ("203.0.113.0/24", {"203.0.113.9", "203.0.113.200"}),
        ("203.0.113.77/24 -203.0.113.9", {"203.0.113.200"}),
        ("2001:db8:1:2:aaaa::1", {"2001:db8:1:2::/64"}),
        ("user:ada -rule:probing", {"203.0.113.9"}),
    ],
)
def test_the_queue_is_searched(analyst: Client, searched: str, expected: set[str]) -> None:
    for network in ("203.0.113.9", "203.0.113.200", "198.51.100.4", "2001:db8:1:2::/64"):
        file(finding(network=network))
    stored(failed_login(account=account_key("ada")))

    assert set(networks(analyst.get(QUEUE, {"q": searched}))) == expected


@pytest.mark.parametrize(
    ("searched", "marked", "column"),
    [
        ("garbage", "garbage", 1),
        ("rule:probing 203.0.113", "203.0.113", 14),
        ("'; --", "';", 1),
        ("203.0.113.7 <script>", "<script>", 13),
        ("\u202e1.1.1.1", "\\u202e1.1.1.1", 1),
        ("1" * 501, "1", 501),
        ("203.0.113.7\x00", "\\x00", 12),
    ],
)
def test_a_search_that_cannot_be_read_is_marked_where_it_is_wrong(
    page: Callable[..., Page], searched: str, marked: str, column: int
) -> None:
    file(finding())

    shown = page(q=searched)

    assert shown.one("mark").text == marked
    assert f"Column {column}: " in shown.text
    assert shown.rows() == []
    box = shown.one("input", id="searchbar")
    assert (box.attributes["value"], box.attributes["aria-invalid"]) == (searched, "true")


def test_a_search_that_finds_nothing_here_offers_all_cases(page: Callable[..., Page]) -> None:
    file(finding())
    do(Action.JUDGE, ATTACKER, verdict="benign")

    shown = page(q=ATTACKER)

    assert "Nothing here matches" in shown.text
    assert shown.link("Search all cases") == "?q=203.0.113.9&tab=all"


@pytest.mark.parametrize(
    ("tab", "told"),
    [
        ("review", "Nothing waits for review."),
        ("mine", "Take one from To review."),
        ("snoozed", "No case is snoozed."),
        ("blocked", "No network with a case is blocked"),
        ("closed", "No case was closed yet."),
        ("all", "There is no case yet."),
    ],
)
def test_an_empty_tab_says_what_to_do(page: Callable[..., Page], tab: str, told: str) -> None:
    assert told in page(tab=tab).text


# Rows


def test_a_row_tells_how_bad_why_and_when(page: Callable[..., Page]) -> None:
    file(
        finding(severity=Severity.CRITICAL),
        finding("probing", severity=Severity.LOW),
        finding("probing", severity=Severity.LOW, first=NOON - timedelta(hours=2)),
        finding("exploit-attempt", severity=Severity.LOW),
    )

    row = page().row(ATTACKER)

    assert "◆ Critical" in row
    assert "login-brute-force and 2 more" in row
    assert "2026-03-02 12:00 UTC" in row
    assert row.endswith("No Nobody No")


def test_a_row_names_who_has_it_and_what_stands_against_it(page: Callable[..., Page]) -> None:
    for network in (FIRST, SECOND, THIRD, FOURTH):
        file(finding(network=network))
    dana = get_user_model().objects.get(username="dana")
    do(Action.ASSIGN, FIRST, assignee=str(dana.pk))
    do(Action.BLOCK, FIRST, hours=3)
    do(Action.BLOCK, SECOND)
    do(Action.BLOCK, THIRD, hours=1, at=ago(hours=2))
    change(FOURTH, enforcement="throttle", enforced_until=now() + timedelta(minutes=5, seconds=30))

    shown = page()

    assert "Blocked, 2 h 59 min left dana" in shown.row(FIRST)
    assert "Blocked for good Nobody" in shown.row(SECOND)
    assert "Blocked (over)" in shown.row(THIRD)
    assert "Throttled, 5 min left" in shown.row(FOURTH)


def test_a_case_that_came_back_says_what_was_said_of_it_before(page: Callable[..., Page]) -> None:
    file(finding())
    do(Action.JUDGE, ATTACKER, verdict="benign", at=NOON)
    do(Action.JUDGE, ATTACKER, verdict="malicious", at=NOON + timedelta(days=1))
    change(ATTACKER, spared_until=None)
    cases.file([finding("probing", first=NOON + timedelta(days=9))], now=NOON + timedelta(days=9))

    row = page().row(ATTACKER)

    assert "came back" in row
    assert row.endswith("Malicious, 2026-03-03 (lee)")


def test_a_verdict_that_was_taken_back_is_not_told(page: Callable[..., Page]) -> None:
    file(finding())
    do(Action.JUDGE, ATTACKER, verdict="benign")
    undo(ReviewAction.objects.get().batch, actor=LEE, now=now())

    assert page().row(ATTACKER).endswith("Nobody No")


@pytest.fixture
def today() -> datetime:
    """The beginning of this hour; the log has a place for today and yesterday."""
    hour = now().replace(minute=0, second=0, microsecond=0)
    partitions.ensure({hour.date(), (hour - timedelta(days=1)).date()})
    return hour


def test_requests_of_24_hours_are_counted_and_drawn_for_each_network(
    page: Callable[..., Page], today: datetime
) -> None:
    file(finding())
    file(finding(network=FIRST))
    first_hour, before = today - timedelta(hours=23), today - timedelta(hours=23, microseconds=1)
    stored(event(today), event(today), event(first_hour), event(before), event(today, FIRST))

    shown = page()

    titles = [one.text for one in shown.all("title")]
    assert "3 requests in 24 hours" in titles
    assert "1 requests in 24 hours" in titles
    drawings = [one.attributes["d"] for one in shown.all("path", fill="currentColor")]
    assert "M0 20v-10h3V20zM92 20v-20h3V20z" in drawings


def test_a_network_without_requests_has_none(page: Callable[..., Page], today: datetime) -> None:
    file(finding())

    assert "0 0 requests in 24 hours None." in page().row(ATTACKER)


def test_a_flood_is_told_and_not_counted(
    page: Callable[..., Page], today: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_rows, "MOST_ROWS", 3)
    file(finding())
    file(finding(network=FIRST))
    stored(*(event(today) for _ in range(4)), *(event(today, FIRST) for _ in range(3)))

    shown = page()

    assert "over 3" in shown.row(ATTACKER)
    assert "3 requests in 24 hours" in shown.row(FIRST)


@pytest.mark.parametrize(
    ("time", "told"),
    [
        (timedelta(seconds=-5), "0 min"),
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=7, minutes=12), "7 h 12 min"),
        (timedelta(hours=23, minutes=59), "23 h 59 min"),
        (timedelta(days=3, hours=4, minutes=5), "3 d 4 h"),
    ],
)
def test_a_time_is_told_as_people_do(time: timedelta, told: str) -> None:
    assert duration(time) == told


# What it costs


def test_the_queue_costs_as_many_queries_for_five_cases_as_for_fifty(analyst: Client, today: datetime) -> None:
    dana = get_user_model().objects.get(username="dana")
    question = {"q": "user:ada -rule:exploit-attempt", "tab": "all", "assignee": str(dana.pk)}

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert analyst.get(QUEUE, question).status_code == 200
        return len(captured)

    def add(numbers: range) -> None:
        for number in numbers:
            network = f"198.51.100.{number}"
            file(finding(network=network), finding("probing", network=network))
            stored(event(today, network), failed_login(today, network, account_key("ada")))
            do(Action.JUDGE, network, verdict="testing")
            do(Action.REOPEN, network)
            do(Action.ASSIGN, network, assignee=str(dana.pk))

    add(range(5))
    queries()  # the first one of all fills Django's own memos
    few = queries()
    add(range(5, 50))

    assert len(networks(analyst.get(QUEUE, question))) == 50
    assert queries() == few <= 12


def test_a_page_holds_fifty_cases_and_the_next_one_the_rest(analyst: Client) -> None:
    for number in range(53):
        file(finding(network=f"198.51.100.{number}"))

    first, second = networks(analyst.get(QUEUE)), networks(analyst.get(QUEUE, {"p": "2"}))

    assert (len(first), len(second)) == (50, 3)
    assert not set(first) & set(second)
    assert len(networks(analyst.get(QUEUE, {"all": ""}, follow=True))) == 50


# Acting on what the page shows


def test_all_that_a_search_finds_can_be_chosen_over_all_pages(analyst: Client) -> None:
    for number in range(60):
        file(finding(network=f"198.51.100.{number}"))
    file(finding())
    one = SuspiciousIP.objects.get(network="198.51.100.1")
    posted = {"action": "block", "index": "0", "select_across": "1", "_selected_action": [str(one.pk)]}

    response = analyst.post(f"{QUEUE}?q=198.51.100.0/24", posted)

    ids = parse_qs(urlsplit(response["Location"]).query)["ids"][0].split(",")
    assert len(ids) == 60
    assert str(SuspiciousIP.objects.get(network=ATTACKER).pk) not in ids


def test_a_wrong_search_chooses_nothing(analyst: Client) -> None:
    one = file(finding())
    posted = {"action": "block", "index": "0", "select_across": "1", "_selected_action": [str(one.pk)]}

    response = analyst.post(f"{QUEUE}?q=colour:red", posted)

    assert parse_qs(urlsplit(response["Location"]).query).get("ids") is None


def test_keys_open_the_pages_that_this_user_may_see(staff: Staff) -> None:
    file(finding())
    reviewer, viewer = staff("view", "review"), staff("view", name="sam")

    keys = {one.text: one.attributes for one in Page(reviewer.get(QUEUE)).all("kbd")}
    of_viewer = {one.text for one in Page(viewer.get(QUEUE)).all("kbd")}

    assert {name: keys[name]["data-given"] for name in "mgfasc"} == {
        "m": "verdict=malicious",
        "g": "verdict=benign",
        "f": "verdict=false_positive",
        "a": "",
        "s": "",
        "c": "",
    }
    assert "b" not in keys
    assert of_viewer == {"j", "k", "Enter", "/", "?"}
    act = f"{QUEUE}act/{keys['g']['data-action']}/?ids={SuspiciousIP.objects.get().pk}&verdict=benign"
    chosen = [one for one in Page(reviewer.get(act)).all("input") if "checked" in one.attributes]
    assert [one.attributes["value"] for one in chosen] == ["benign"]


def test_the_table_can_be_read_by_who_does_not_see_it(page: Callable[..., Page]) -> None:
    file(finding())

    shown = page()

    assert ATTACKER in [one.text for one in shown.all("th", scope="row")]
    assert shown.one("input", aria_label=f"Select {ATTACKER}")
    assert all(one.attributes["scope"] in ("col", "row") for one in shown.all("th"))
    assert [one.text[:13] for one in shown.all("caption")][-1] == "1 case, as of"
    assert shown.one("div", role="region").attributes["tabindex"] == "0"


def test_the_page_runs_under_a_strict_content_security_policy(page: Callable[..., Page]) -> None:
    file(finding())

    shown = page(q="203.0.113.0/24 colour:red"), page()

    for one in (element for each in shown for element in each.elements):
        assert one.tag != "style"
        assert "style" not in one.attributes
        assert not any(name.startswith("on") for name in one.attributes)
        if one.tag == "script" and one.attributes.get("type") != "application/json":
            assert one.attributes["src"].startswith("/")


# Hostile text

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table><h1>All clear</h1>",
    "{{ request.user.password }} {% debug %}",
    "&lt;b&gt;",
    "\u202eevil\u2066\u200b",
    "\x1b[31m\x08",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_and_visible(page: Callable[..., Page], text: str) -> None:
    """As a rule's name, a source, an assignee's and a reviewer's name, and in the address."""

    def shown(word: str) -> Page:
        SuspiciousIP.objects.all().delete()
        file(finding("probing", network=FIRST))
        file(finding(network=SECOND))
        do(Action.JUDGE, SECOND, verdict="testing")
        user, _ = get_user_model().objects.get_or_create(username=word)
        case = SuspiciousIP.objects.get(network=SECOND)
        apply(Order(Action.JUDGE, WHY, verdict="benign"), {case.pk: None}, actor=Actor("9", word), now=now())
        change(SECOND, triage="open", top_rule=word, source=word, assignee=user)
        return page(source=word, tab="all")

    plain, hostile = shown("x"), shown(text)

    assert [one.tag for one in hostile.elements] == [one.tag for one in plain.elements]
    assert not any(name.startswith("on") for one in hostile.elements for name in one.attributes)
    assert not set(hostile.text) & set("\u202e\u2066\u200b\x1b\x08")
    assert len(hostile.rows()) == 1
    if text.isprintable():
        assert hostile.text.count(" ".join(text.split())) >= 5
