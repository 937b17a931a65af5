"""The page that switches the gate, and the banner where it does not enforce."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from ip_tracking.models import GateSwitch
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, Order
from ip_tracking.review.switch import turn
from tests.review.conftest import Staff, file
from tests.review.pages import act_on
from tests.traffic import finding

pytestmark = pytest.mark.django_db

QUEUE = "/admin/ip_tracking/suspiciousip/"
SWITCHES = "/admin/ip_tracking/gateswitch/"
TURN = f"{SWITCHES}turn/"
WHY = "429 for everybody"


@pytest.fixture
def lead(staff: Staff) -> Client:
    client = staff("view", "review", "block")
    user = get_user_model().objects.get(username="dana")
    user.user_permissions.add(Permission.objects.get(codename="switch_gate"))
    return client


def text(client: Client, address: str) -> str:
    return client.get(address, follow=True).content.decode()


def test_a_lead_switches_the_gate_off_for_some_hours(lead: Client) -> None:
    response = lead.post(TURN, {"mode": "off", "hours": "2", "reason": WHY}, follow=True)

    row = GateSwitch.objects.get()
    assert (row.mode, row.actor, row.reason) == ("off", "dana", WHY)
    assert timedelta(hours=1, minutes=59) < row.until - datetime.now(UTC) <= timedelta(hours=2)
    assert response.redirect_chain == [(SWITCHES, 302)]
    assert f"The gate is off until {row.until:%H:%M} UTC (dana: {WHY})" in response.content.decode()


def test_a_lead_switches_it_on_again_before_its_time(lead: Client) -> None:
    turn(GateSwitch.Mode.OFF, 5, actor=Actor("", "lee"), reason=WHY, now=datetime.now(UTC))
    assert "guard-down" in text(lead, QUEUE)

    lead.post(TURN, {"mode": "on", "hours": "", "reason": "Fixed the limit"})

    assert GateSwitch.objects.held(datetime.now(UTC)) is None
    assert "guard-down" not in text(lead, QUEUE)


@pytest.mark.parametrize(
    ("posted", "told"),
    [
        ({"hours": "1", "reason": WHY}, "This field is required"),
        ({"mode": "sideways", "hours": "1", "reason": WHY}, "Select a valid choice"),
        ({"mode": "off", "hours": "", "reason": WHY}, "The gate is switched for 24h at most"),
        ({"mode": "off", "hours": "0", "reason": WHY}, "greater than or equal to 1"),
        ({"mode": "shadow", "hours": "25", "reason": WHY}, "less than or equal to 24"),
        ({"mode": "off", "hours": "1.5", "reason": WHY}, "Enter a whole number"),
        ({"mode": "off", "hours": "1", "reason": "hm"}, "at least 5 characters"),
        ({"mode": "on", "hours": "", "reason": ""}, "This field is required"),
    ],
)
def test_what_is_missing_is_told_and_nothing_switched(lead: Client, posted: dict[str, str], told: str) -> None:
    response = lead.post(TURN, posted)

    assert response.status_code == 200
    assert told in response.content.decode()
    assert not GateSwitch.objects.exists()


def test_no_mode_is_chosen_before_somebody_chooses(lead: Client) -> None:
    page = text(lead, TURN)

    assert 'type="radio"' in page
    assert "checked" not in page


def test_who_may_not_switch_sees_no_page_and_switches_nothing(staff: Staff) -> None:
    analyst = staff("view", "review", "block", "block_long")

    assert analyst.get(TURN).status_code == 403
    assert analyst.post(TURN, {"mode": "off", "hours": "1", "reason": WHY}).status_code == 403
    assert Client().get(TURN)["Location"].startswith("/admin/login/")
    assert "Switch the gate…" not in text(analyst, SWITCHES)
    assert not GateSwitch.objects.exists()


def test_a_switch_without_djangos_token_is_refused(lead: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = lead.cookies

    assert strict.post(TURN, {"mode": "off", "hours": "1", "reason": WHY}).status_code == 403
    assert not GateSwitch.objects.exists()


@pytest.mark.parametrize("page", ["queue", "case", "asking", "done", "switches"])
def test_pages_say_that_the_gate_is_off_and_who_may_switch_it_on(lead: Client, staff: Staff, page: str) -> None:
    case = file(finding())
    order, actor = Order(Action.COMMENT, WHY), Actor("", "lee")
    batch = apply(order, {case.pk: None}, actor=actor, now=datetime.now(UTC)).batch
    address = {
        "queue": QUEUE,
        "case": f"{QUEUE}{case.pk}/change/",
        "asking": act_on("comment", case),
        "done": f"{QUEUE}batch/{batch}/",
        "switches": SWITCHES,
    }[page]
    assert "guard-down" not in text(lead, address)

    turned = turn(GateSwitch.Mode.OFF, 1, actor=Actor("", "dana"), reason="<b>refuses all</b>", now=datetime.now(UTC))

    said = f"The gate is off until {turned.until:%H:%M} UTC (dana: &lt;b&gt;refuses all&lt;/b&gt;)."
    for client, how in ((lead, f'<a href="{TURN}">'), (staff("view", "review", name="sam"), "manage.py gate --on")):
        shown = text(client, address)
        assert said in shown
        assert how in shown


def test_pages_say_that_the_setting_keeps_the_gate_in_shadow(lead: Client, tracking: Callable[..., object]) -> None:
    tracking(MODE="shadow")

    assert "The gate is in shadow, as IP_TRACKING[&#x27;MODE&#x27;] says." in text(lead, QUEUE)
