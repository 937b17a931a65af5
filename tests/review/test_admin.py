"""The review desk: the queue, the case, and what may be done about it, by whom."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ip_tracking.detection.finding import Severity
from ip_tracking.models import Decision, GateSwitch, ReviewAction
from ip_tracking.review.actor import Actor
from ip_tracking.review.switch import turn
from tests.review.conftest import OFFICE, Staff, file
from tests.review.pages import QUEUE, WHY, act, act_on, again, messages, page_of, text_of, versions
from tests.traffic import ATTACKER, finding

pytestmark = pytest.mark.django_db

Commit = Callable[..., AbstractContextManager[Any]]


def networks(response: HttpResponse) -> set[str]:
    return {case.network for case in response.context["cl"].result_list}


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
        posted = {"reason": WHY, "hours": "1", "versions": versions(case)}
        assert client.get(act_on(action, case)).status_code == 403
        assert client.post(act_on(action, case), posted).status_code == 403
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

    posted = {"reason": WHY, "hours": "1", "versions": versions(case)}
    assert strict.post(act_on("block", case), posted).status_code == 403
    assert not ReviewAction.objects.exists()


# The queue


def test_the_gravest_case_comes_first_and_says_so_in_words_and_shape(analyst: Client) -> None:
    file(finding(network="198.51.100.1", severity=Severity.MEDIUM))
    file(finding(network="198.51.100.2", severity=Severity.CRITICAL))
    file(finding(network="198.51.100.3", severity=Severity.HIGH))

    response = analyst.get(QUEUE)

    shown = response.content.decode()
    places = [shown.index(text) for text in ("◆ Critical", "▲ High", "○ Medium")]
    assert places == sorted(places)
    assert "login-brute-force" in shown


@pytest.mark.parametrize(
    ("searched", "expected"),
    [
        ("203.0.113.9", {"203.0.113.9"}),
        (" 203.0.113.9 ", {"203.0.113.9"}),
        ("::ffff:203.0.113.9", {"203.0.113.9"}),
        ("203.0.113.0/24", {"203.0.113.9", "203.0.113.200"}),
        ("203.0.113.77/24", {"203.0.113.9", "203.0.113.200"}),
        ("203.0.113.10", set()),
        ("2001:db8:1:2:aaaa::1", {"2001:db8:1:2::/64"}),
        ("2001:db8::/32", {"2001:db8:1:2::/64"}),
        ("0.0.0.0/0", {"203.0.113.9", "203.0.113.200", "198.51.100.4"}),
    ],
)
def test_a_search_finds_an_address_in_its_network_and_the_networks_in_a_range(
    analyst: Client, searched: str, expected: set[str]
) -> None:
    for network in ("203.0.113.9", "203.0.113.200", "198.51.100.4", "2001:db8:1:2::/64"):
        file(finding(network=network))

    assert networks(analyst.get(QUEUE, {"q": searched})) == expected


@pytest.mark.parametrize("searched", ["garbage", "203.0.113", "'; --", "<script>", "\u202e1.1.1.1", "1" * 5_000])
def test_a_search_for_what_is_no_address_is_told_so(analyst: Client, searched: str) -> None:
    file(finding())

    response = analyst.get(QUEUE, {"q": searched})

    assert response.status_code == 200
    assert networks(response) == set()
    assert "Write an address or a CIDR" in messages(response)
    assert "<script>'" not in response.content.decode()


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ({"triage__exact": "open"}, {"198.51.100.1", "198.51.100.2"}),
        ({"triage__exact": "closed"}, {"198.51.100.3"}),
        ({"severity__exact": "critical"}, {"198.51.100.2"}),
        ({"top_rule": "probing"}, {"198.51.100.1"}),
        ({"verdict__exact": "benign"}, {"198.51.100.3"}),
        ({"enforcement__exact": "block"}, set()),
        ({"source": "live"}, {"198.51.100.1", "198.51.100.2", "198.51.100.3"}),
        ({"q": "198.51.100.0/31", "triage__exact": "open"}, {"198.51.100.1"}),
        ({"q": "198.51.100.0/24", "_facets": "True"}, {"198.51.100.1", "198.51.100.2", "198.51.100.3"}),
    ],
)
def test_the_queue_is_filtered(analyst: Client, question: dict[str, str], expected: set[str]) -> None:
    file(finding("probing", network="198.51.100.1", severity=Severity.MEDIUM))
    file(finding(network="198.51.100.2", severity=Severity.CRITICAL))
    benign = file(finding(network="198.51.100.3"))
    act(analyst, "judge", benign, verdict="benign")

    assert networks(analyst.get(QUEUE, question)) == expected


def test_the_queue_costs_as_many_queries_for_five_cases_as_for_fifty(analyst: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert analyst.get(QUEUE).status_code == 200
        return len(captured)

    for number in range(5):
        file(finding(network=f"198.51.100.{number}"))
    queries()  # the first one of all fills Django's own memos
    few = queries()
    for number in range(5, 50):
        file(finding(network=f"198.51.100.{number}"), finding("probing", network=f"198.51.100.{number}"))

    assert queries() == few <= 12


# What is kept


@pytest.mark.parametrize("model", ["decision", "reviewaction"])
def test_decisions_and_records_are_looked_at_and_never_changed(model: str, staff: Staff) -> None:
    case, admin_client = file(finding()), staff(superuser=True)
    act(admin_client, "block", case, hours="1")
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
