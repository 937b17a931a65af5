"""The admin's page about who is calling."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from django.http import HttpResponse
from django.test import Client

from ip_tracking.gate import decisions
from ip_tracking.models import HeaderHour
from tests.review.conftest import OFFICE, Staff, file
from tests.traffic import ATTACKER, finding

pytestmark = pytest.mark.django_db

Configure = Callable[..., object]

QUEUE = "/admin/ip_tracking/suspiciousip/"
PAGE = f"{QUEUE}client/"

HOSTILE = "\"'><script>alert(1)</script>\u202e\x1b[2J"


class Tags(HTMLParser):
    """Every element of a page with its attributes, and its text."""

    def __init__(self, page: HttpResponse) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text = f"{self.text} {data.strip()}".strip()


def text_of(page: HttpResponse) -> str:
    return " ".join(Tags(page).text.split())


def test_strangers_are_sent_to_the_login() -> None:
    assert Client().get(PAGE)["Location"].startswith("/admin/login/")


def test_staff_who_may_not_see_cases_is_refused(staff: Staff) -> None:
    assert staff().get(PAGE).status_code == 403


def test_who_may_look_sees_how_they_were_derived(staff: Staff, tracking: Configure) -> None:
    tracking(TRUSTED_PROXIES=[OFFICE])

    page = staff("view").get(PAGE, headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "X-Real-IP": "1.2.3.4"})

    text = text_of(page)
    assert "You are 203.0.113.9 ." in text
    assert f"peer {OFFICE} {OFFICE} trusted, by {OFFICE} in TRUSTED_PROXIES" in text
    assert "entry 203.0.113.9 203.0.113.9 in no entry of TRUSTED_PROXIES: it is the client" in text
    assert "1 entry not read" in text
    assert "Came, and is never read: X-Real-IP." in text


def test_an_address_can_be_asked_about(analyst: Client) -> None:
    case = file(finding())
    decisions.decide("block", ATTACKER, until=None, reason=HOSTILE, actor="dana", by_person=True, now=datetime.now(UTC))

    page = analyst.get(PAGE, {"address": ATTACKER})

    text = text_of(page)
    assert f"Block on {ATTACKER}: every request is refused with 403." in text
    assert "until somebody ends it" in text
    assert "high, score" in text
    assert f"{QUEUE}{case.pk}/change/" in page.content.decode()


def test_its_limits_are_shown_and_looking_counts_nothing(analyst: Client) -> None:
    Client(REMOTE_ADDR=ATTACKER).get("/healthz/none")

    pages = [text_of(analyst.get(PAGE, {"address": ATTACKER})) for _ in range(2)]

    assert pages[0] == pages[1]
    assert "site everything 1 1200 60 s now" in pages[0]


@pytest.mark.parametrize("address", ["", "somewhere", "203.0.113.0/24", HOSTILE, "9" * 64])
def test_what_is_no_address_is_told_and_the_viewer_shown(analyst: Client, address: str) -> None:
    page = analyst.get(PAGE, {"address": address})

    assert page.status_code == 200
    assert page.context["form"].errors["address"]
    assert page.context["standing"].network == OFFICE


def test_warnings_are_shown(analyst: Client) -> None:
    HeaderHour.objects.add(datetime.now(UTC).replace(minute=0, second=0, microsecond=0), requests=2_000, beyond=2_000)

    assert "(ip_tracking.W011)" in text_of(analyst.get(PAGE))


def test_hostile_text_is_data(analyst: Client, tracking: Configure) -> None:
    tracking(TRUSTED_PROXIES=[OFFICE])
    file(finding())
    decisions.decide(
        "block", ATTACKER, until=None, reason=HOSTILE, actor=HOSTILE, by_person=True, now=datetime.now(UTC)
    )

    page = analyst.get(PAGE, {"address": ATTACKER}, headers={"X-Forwarded-For": f"{HOSTILE}, {HOSTILE}"})

    typed = analyst.get(PAGE, {"address": HOSTILE})

    for seen in (page.content.decode(), typed.content.decode()):
        assert "&lt;script&gt;" in seen
        assert "<script>alert" not in seen
        assert "\u202e" not in seen
        assert "\x1b" not in seen


def test_no_script_and_no_style_of_its_own_stands_in_the_page(analyst: Client) -> None:
    found = Tags(analyst.get(PAGE, {"address": ATTACKER})).found

    assert "style" not in {tag for tag, _ in found}
    assert [attrs for tag, attrs in found if tag == "script" and not attrs.get("src")] == []
    assert [attrs for _, attrs in found if any(name == "style" or name.startswith("on") for name in attrs)] == []


def test_the_queue_and_the_case_lead_here(analyst: Client) -> None:
    case = file(finding())

    assert f'href="{PAGE}"' in analyst.get(QUEUE).content.decode()
    assert f'href="{PAGE}?address={ATTACKER}"' in analyst.get(f"{QUEUE}{case.pk}/change/").content.decode()
