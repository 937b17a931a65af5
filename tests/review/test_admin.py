"""The review desk: the queue, the case, and what may be done about it, by whom."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from ip_tracking.models import Decision, GateSwitch, ReviewAction, ReviewText
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, Order
from ip_tracking.review.switch import turn
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
    page_of,
    read,
    text_of,
    versions,
)
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


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_records_decisions_and_switches_are_inert_and_visible(staff: Staff, text: str) -> None:
    text = text.replace("\x00", "").replace("\udc80", "")  # what no database stores
    client, case = staff(superuser=True), file(finding())

    def pages(text: str) -> list[Page]:
        now, actor = datetime.now(UTC), Actor(id="9", name=text)
        order = Order(Action.BLOCK, f"{text}.....", hours=1)
        batch = apply(order, {case.pk: None}, actor=actor, now=now).batch
        switched = turn(GateSwitch.Mode.ON, None, actor=actor, reason=f"{text}.....", now=now)
        rows = {
            "decision": Decision.objects.latest("id").pk,
            "reviewaction": ReviewAction.objects.get(batch=batch).pk,
            "gateswitch": switched.pk,
        }
        return [read(client.get(f"/admin/ip_tracking/{model}/{pk}/change/")) for model, pk in rows.items()]

    for page, harmless in zip(pages(text), pages("harmless"), strict=True):
        assert_inert_and_visible(page, harmless, text)
        assert not any("history" in (link.get("href") or "") for link in page.all("a"))
    for model in ("decision", "reviewaction", "gateswitch"):
        shown = "".join(read(client.get(f"/admin/ip_tracking/{model}/")).text)
        assert not set(shown) & set("\u202e\u2066\u200b\x1b")


def test_the_audit_list_says_what_was_erased(staff: Staff) -> None:
    case, admin_client = file(finding()), staff(superuser=True)
    act(admin_client, "comment", case)
    ReviewText.objects.all().delete()

    assert "erased" in text_of(admin_client.get("/admin/ip_tracking/reviewaction/"))


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
