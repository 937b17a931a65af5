"""Habits and crawls on a real database: found at the crossing request, at little cost, in any order of batches."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ip_tracking import tasks
from ip_tracking.detection.bursts import READ_BACK, find
from ip_tracking.detection.pages import VIEWS_READ
from ip_tracking.detection.rules import CRAWLING, RULES
from ip_tracking.event import US, Event, to_us
from ip_tracking.models import CaseFinding, Decision, RequestLog, SuspiciousIP
from tests.simulators.attacks import below, until_crossing
from tests.simulators.request import Request, add, events, looked_at, pay, product
from tests.traffic import NOON, batch

pytestmark = pytest.mark.django_db

STORIES = (
    "credential-stuffing",
    "card-testing",
    "carding",
    "coupon-cracking",
    "stock-holding",
    "scalping",
    "account-creation",
    "agent-switching",
    "cache-busting",
    "crawling",
)


def send(sent: list[Event]) -> None:
    tasks.store_events(*batch(*sent))


def found() -> set[str]:
    return set(CaseFinding.objects.values_list("rule", flat=True))


def in_noon(requests: list[Request], **fields: Any) -> list[Event]:
    return events(requests, start_us=to_us(NOON), **fields)


@pytest.mark.parametrize("rule", STORIES)
def test_the_crossing_request_opens_the_case(rule: str) -> None:
    *before, crossing = in_noon(until_crossing(rule))

    send(before)
    early = found()
    send([crossing])

    assert rule not in early
    assert rule in found()


@pytest.mark.parametrize("rule", STORIES)
def test_who_stops_at_four_fifths_has_no_case(rule: str) -> None:
    send(in_noon(below(rule)))

    assert not SuspiciousIP.objects.exists()


def in_batches(chance: random.Random, sent: list[Event]) -> list[list[Event]]:
    left, batches = list(sent), []
    chance.shuffle(left)
    while left:
        size = chance.randrange(1, 40)
        batches.append(left[:size])
        left = left[size:]
    return batches + chance.sample(batches, len(batches) // 3)


@pytest.mark.parametrize("seed", range(3))
def test_findings_depend_on_the_events_alone(seed: int) -> None:
    """In batches of any size and order, some delivered twice, several stories told at once by two networks."""
    chance = random.Random(seed)
    # What a payment excuses depends on what has arrived (`Rule.unless` says how far).
    stories = chance.sample([name for name in STORIES if name != "stock-holding"], 4)
    late = to_us(NOON + timedelta(minutes=59, seconds=59))  # some of them across the hour
    told = [
        event
        for place, name in enumerate(stories)
        for event in events(until_crossing(name, seed), f"203.0.113.{place % 2}", late if place % 2 else to_us(NOON))
    ]
    sent = [event._replace(request_id=f"r{number}") for number, event in enumerate(told)]

    for part in in_batches(chance, sent):
        send(part)

    expected = {
        (f.network, f.rule, f.hour_us, f.count, f.first_seen_us, f.last_seen_us) for f in find(looked_at(sent), RULES)
    }
    rows = CaseFinding.objects.values_list("case__network", "rule", "hour", "count", "first_seen", "last_seen")
    assert {(n, rule, to_us(hour), count, to_us(a), to_us(b)) for n, rule, hour, count, a, b in rows} == expected
    assert {rule for _, rule, *_ in expected} >= set(stories)


def test_a_payment_excuses_the_carts_before_it() -> None:
    cart = [add(number * 2) for number in range(120)]
    paid = [pay(number * 60 + 1, outcome="payment_ok") for number in range(4)]

    send(in_noon(sorted(cart + paid, key=lambda request: request.at_s)))

    assert found() == set()


def test_one_customer_with_five_declined_cards_is_found_and_five_customers_with_one_are_not() -> None:
    declined = [pay(number * 60, status=402, outcome="payment_declined", user=str(number)) for number in range(5)]
    one = [pay(number * 60, status=402, outcome="payment_declined", user="7") for number in range(5)]

    send(in_noon(declined, network="198.51.100.4"))
    send(in_noon(one))

    assert set(CaseFinding.objects.values_list("case__network", "rule")) == {("203.0.113.9", "card-testing")}


def test_a_crawler_is_filed_and_a_carder_refused_where_detectors_block(tracking: Any) -> None:
    tracking(ENFORCE="block")

    send(in_noon(until_crossing("crawling"), network="198.51.100.4"))
    send(in_noon(until_crossing("carding")))

    assert SuspiciousIP.objects.count() == 2
    assert list(Decision.objects.values_list("network", flat=True)) == ["203.0.113.9"]


def queries_of_the_log(sent: list[Event]) -> int:
    with CaptureQueriesContext(connection) as captured:
        send(sent)
    return sum('FROM "ip_tracking_requestlog"' in query["sql"] for query in captured)


def test_two_hundred_clients_that_browse_cost_one_query() -> None:
    views = [product(number / 100, f"/api/v1/products/lamp-{number}/") for number in range(200)]
    sent = [event._replace(network=f"203.0.113.{number}") for number, event in enumerate(in_noon(views))]

    assert queries_of_the_log(sent) == 1


def test_a_crawl_is_read_by_the_second_and_no_further_than_the_cap() -> None:
    crawl = [product(number / 2_000, f"/api/v1/products/lamp-{number}/") for number in range(3 * VIEWS_READ)]

    queries = queries_of_the_log(in_noon(crawl))

    assert queries == 1 + 2 * CRAWLING.window_s + 1
    assert CaseFinding.objects.get().count == VIEWS_READ


def test_a_crawl_whose_beginning_arrives_last_is_found() -> None:
    crawl = in_noon(until_crossing("crawling"))
    second = to_us(NOON) + US

    send([event for event in crawl if event.at_us >= second])
    send([event for event in crawl if event.at_us < second])

    assert found() == {"crawling"}


def test_a_flood_of_refusals_hides_no_crawl() -> None:
    refused = [Request(number / 1_000, "/", status=429, refused="site") for number in range(2_000)]
    send(in_noon(refused))
    crawl = [event._replace(request_id=f"c{n}") for n, event in enumerate(in_noon(until_crossing("crawling")))]

    send(crawl)

    assert "crawling" in found()


def test_buying_all_hour_hides_no_declined_cards() -> None:
    """Each habit has a cap of its own."""
    buying = [pay(number * 1.7, outcome="payment_ok") for number in range(READ_BACK + 100)]
    send(in_noon(buying))
    cards = events(until_crossing("card-testing"), start_us=to_us(NOON + timedelta(minutes=40)))

    send([event._replace(request_id=f"c{number}") for number, event in enumerate(cards)])

    assert found() == {"card-testing"}


def test_habits_read_no_whole_hour() -> None:
    """A large network buys and pays all day: a look at the index, and no more."""
    sent = in_noon([add(0), pay(1, outcome="payment_ok")])

    assert queries_of_the_log(sent) == 1
    assert RequestLog.objects.filter(symptoms__in=["cart-add", "paid"]).count() == 2
