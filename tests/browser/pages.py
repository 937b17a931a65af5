"""Every page that people see, in the states they see it in. A new page or state is one more row of PLACES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

from playwright.sync_api import Locator, Page

from ip_tracking import cases
from ip_tracking.detection.finding import Finding, Severity
from ip_tracking.gate import decisions
from ip_tracking.models import GateSwitch, SuspiciousIP
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, Order
from tests.browser.evening import evening, worst
from tests.e2e.processes import wait_until
from tests.traffic import failed_login, finding, stored

# The groups that `migrate` makes.
VIEWER, ANALYST, LEAD = "Security viewer", "Security analyst", "Security lead"

# Where the browser calls from: not a network that any page is about.
OFFICE = "192.0.2.10"

QUEUE = "/admin/ip_tracking/suspiciousip/"

# As an attacker would write it: markup, a right-to-left override, a terminal's escape, no place to break the line.
HOSTILE = "\"'><img src=x onerror=alert(1)><script>alert(1)</script>\u202e\x1b[2J" + "a" * 300


@dataclass(frozen=True)
class Place:
    """A page in a state: `arrange` files what it shows and returns its path; `then` does what leads from there to it.

    `picture` names its screenshot, where it has one.
    """

    name: str
    arrange: Callable[[], str]
    role: str = ""
    then: Callable[[Page], object] | None = None
    status: int = 200
    picture: str = ""


def at(path: str) -> Callable[[], str]:
    return lambda: path


def file(*findings: Finding) -> SuspiciousIP:
    cases.file(findings, now=datetime.now(UTC))
    return SuspiciousIP.objects.get(network=findings[0].network)


def case() -> SuspiciousIP:
    """With three rules, hostile evidence, a log behind it and a decision in force."""
    now = datetime.now(UTC)
    early = now - timedelta(minutes=10)
    network = "203.0.113.9"
    evidence = tuple(failed_login(early, network, path=f"/{HOSTILE}", user_agent=HOSTILE[:256]) for _ in range(3))
    found = file(
        finding(network=network, first=early, evidence=evidence),
        finding("probing", network=network, first=early, severity=Severity.MEDIUM, evidence=evidence),
        finding("exploit-attempt", network=network, first=early, severity=Severity.CRITICAL, evidence=evidence),
    )
    stored(*evidence, at=now)
    decide("block", network, hours=24)
    return found


def decide(kind: str, network: str, hours: int) -> None:
    now = datetime.now(UTC)
    decisions.decide(
        kind,
        network,
        until=now + timedelta(hours=hours),
        reason="Guessing passwords",
        actor="lee",
        by_person=True,
        now=now,
    )


def filled_queue() -> str:
    """More than one page of it, in every severity, and a log behind the newest."""
    now = datetime.now(UTC)
    severities = [severity for severity in Severity if severity is not Severity.LOW]
    for number, severity in product(range(20), severities):
        network = f"198.51.{severity.rank}.{number + 1}" if number else f"2001:db8:{severity.rank}::/64"
        file(finding(network=network, severity=severity, first=now - timedelta(minutes=number)))
    stored(*(failed_login(now - timedelta(hours=hour), "198.51.4.2") for hour in range(24)), at=now)
    return QUEUE


def searched_wrongly() -> str:
    return f"{filled_queue()}?q=severity:high ip:{HOSTILE[:40]}"


def guard_off() -> str:
    now = datetime.now(UTC)
    mode, until = GateSwitch.Mode.OFF, now + timedelta(hours=1)
    GateSwitch.objects.create(mode=mode, until=until, reason="An outage", actor="lee", at=now)
    return filled_queue()


def case_page() -> str:
    return f"{QUEUE}{case().pk}/change/"


def decisions_page() -> str:
    decide("block", "203.0.113.9", hours=24)
    return "/admin/ip_tracking/decision/"


def act_page() -> str:
    return f"{QUEUE}act/block/?ids={case().pk}"


def long_case() -> str:
    """With a past: hours of requests, neighbours, comments, verdicts and decisions of a colleague."""
    now, one, lee = datetime.now(UTC), case(), Actor(id="8", name=HOSTILE[:150])
    stored(*[failed_login(now - timedelta(minutes=20 * number), one.network) for number in range(60)], at=now)
    for number in range(7):
        file(finding(network=f"203.0.113.{number + 20}", first=now))
    for order in (
        Order(Action.COMMENT, HOSTILE[:400]),
        Order(Action.JUDGE, "A scanner of our own", verdict="benign"),
        Order(Action.REOPEN),
        Order(Action.BLOCK, "It was not", hours=4),
        Order(Action.SNOOZE, until=now + timedelta(days=3)),
    ):
        apply(order, {one.pk: None}, actor=lee, now=now)
    return f"{QUEUE}{one.pk}/change/?_changelist_filters=tab%3Dreview"


def bulk(action: Action) -> Callable[[], str]:
    """The page that asks about three cases, one of them the caller's own network."""

    def arrange() -> str:
        now = datetime.now(UTC)
        chosen = [case(), *(file(finding(network=network, first=now)) for network in (OFFICE, "198.51.100.4"))]
        return f"{QUEUE}act/{action.value}/?ids={','.join(str(one.pk) for one in chosen)}"

    return arrange


def client_page() -> str:
    return f"{QUEUE}client/?address={case().network}"


def refused() -> str:
    decide("block", OFFICE, hours=1)
    return "/api/v1/products/"


def evening_queue() -> str:
    evening()
    return QUEUE


def evening_case() -> str:
    return f"{QUEUE}{worst().pk}/change/"


def evening_block() -> str:
    """Three of the worst, one of them where the caller sits."""
    evening()
    file(finding(network=OFFICE, first=datetime.now(UTC)))
    networks = ("203.0.113.9", "203.0.113.77", OFFICE)
    chosen = SuspiciousIP.objects.filter(network__in=networks).values_list("pk", flat=True)
    return f"{QUEUE}act/block/?ids={','.join(map(str, chosen))}"


def unfold(page: Page) -> None:
    for summary in page.locator("#content summary").all():
        summary.click()


def send(page: Page) -> None:
    page.get_by_label("Reason").fill("Card testing since noon")
    press(page, page.locator("form [type=submit].default"))


def send_nothing(page: Page) -> None:
    press(page, page.locator("form [type=submit].default"))
    assert page.evaluate("() => document.activeElement.getAttribute('role')") == "alert"


def ask_again_until_refused(page: Page) -> None:
    """A server whose guard another test had switched off learns within two seconds that it is on."""
    wait_until(lambda: (answer := page.reload()) is not None and answer.status == 403, "the refusal", deadline_s=10)


def show_the_keys(page: Page) -> None:
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()


def send_blanks_for_a_reason(page: Page) -> None:
    page.get_by_label("Reason").fill(" " * 8)
    press(page, page.locator("form [type=submit].default"))


def lose_the_token(page: Page) -> None:
    """As a page from the browser's history would send it."""
    page.locator("[name=csrfmiddlewaretoken]").evaluate("field => field.remove()")
    log_in_wrongly(page)


def log_in_wrongly(page: Page) -> None:
    page.get_by_label("Username").fill("dana")
    page.get_by_label("Password").fill("wrong")
    press(page, page.get_by_role("button", name="Log in"))


def see_it_drawn(page: Page) -> None:
    page.get_by_role("button", name="GET /api/v1/limits/ My limits").wait_for()


def press(page: Page, button: Locator) -> None:
    with page.expect_navigation():
        button.click()


PLACES = [
    Place("login", at("/admin/login/")),
    Place("login, wrong", at("/admin/login/"), then=log_in_wrongly),
    Place("form too old", at("/admin/login/"), then=lose_the_token, status=403),
    Place("admin's index", at("/admin/"), ANALYST),
    Place("queue, empty", at(QUEUE), ANALYST),
    Place("queue, filled", filled_queue, ANALYST),
    Place("queue, in the evening", evening_queue, ANALYST, picture="queue"),
    Place("queue, for a viewer", filled_queue, VIEWER),
    Place("queue, searched wrongly", searched_wrongly, ANALYST),
    Place("queue, nothing found", at(f"{QUEUE}?q=ip:192.0.2.77"), ANALYST),
    Place("queue, its keys", filled_queue, LEAD, then=show_the_keys),
    Place("queue, guard off", guard_off, LEAD),
    Place("health", at("/admin/health/"), VIEWER),
    Place("switch the gate", at("/admin/ip_tracking/gateswitch/turn/"), LEAD),
    Place("decisions", decisions_page, ANALYST),
    Place("what people did", at("/admin/ip_tracking/reviewaction/"), ANALYST),
    Place("case", case_page, ANALYST),
    Place("case, in the evening", evening_case, ANALYST, picture="case"),
    Place("block three, in the evening", evening_block, LEAD, picture="confirm"),
    Place("case with a past", long_case, LEAD),
    Place("case with a past, unfolded", long_case, LEAD, then=unfold),
    Place("case, for a viewer", case_page, VIEWER),
    Place("block", act_page, LEAD),
    *(Place(f"{action.value} three", bulk(action), LEAD) for action in (Action.ASSIGN, Action.SNOOZE, Action.BLOCK)),
    Place("judge, without a verdict", bulk(Action.JUDGE), LEAD, then=send_nothing),
    Place("batch", bulk(Action.BLOCK), LEAD, then=send),
    Place("block, without a reason", act_page, LEAD, then=send_blanks_for_a_reason),
    Place("who is calling", client_page, VIEWER),
    Place("no such page", at("/no-such-page/"), status=404),
    Place("refused", refused, then=ask_again_until_refused, status=403),
    Place("API's description", at("/api/v1/docs/"), then=see_it_drawn),
]
