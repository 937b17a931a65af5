"""What no single client shows: each question of the sweep beside the harmless crowd that comes closest."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import Q

from ip_tracking import population
from ip_tracking.detection import bursts
from ip_tracking.detection.finding import Finding
from ip_tracking.detection.hourly import HOURLY_RULES
from ip_tracking.detection.rules import RULES
from ip_tracking.detection.symptoms import symptoms_of
from ip_tracking.event import Event, to_us
from ip_tracking.hour import Hour
from tests.traffic import ATTACKER, NOON, event, failed_login, good_login, stored

pytestmark = pytest.mark.django_db

Question = Callable[[Hour], list[Finding]]


def counts(question: Question, hour: datetime = NOON) -> dict[str, int]:
    return {finding.network: finding.count for finding in question(Hour(to_us(hour)))}


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def v4(number: int, place: str = "198.51.100") -> str:
    return f"{place}.{number}"


def elsewhere(number: int) -> str:
    """No two of them are neighbours."""
    return f"10.{number // 250}.{number % 250}.7"


def shoppers(number: int, requests: int = 10) -> list[Event]:
    """Others, who do what people do."""
    return [
        event(NOON + minutes((one * 7 + page * 3) % 60), elsewhere(one), path=f"/products/{page}", user_agent="Chrome")
        for one in range(number)
        for page in range(requests)
    ]


def no_burst(events: Iterable[Event]) -> None:
    """Holds that no rule for a single client is met."""
    assert bursts.find([one._replace(symptoms=symptoms_of(one)) for one in events], RULES) == []


# Neighbours that guess passwords


def failures(networks: Iterable[str], each: int, **fields: Any) -> list[Event]:
    return [
        failed_login(NOON + minutes(6 * turn), network, account=f"{network}-{turn}", **fields)
        for network in networks
        for turn in range(each)
    ]


@pytest.mark.parametrize(
    "networks", [[v4(number) for number in range(6)], [f"2001:db8:1:{number:x}::/64" for number in range(6)]]
)
def test_neighbours_that_guess_slowly_are_found_together(networks: list[str]) -> None:
    events = failures(networks, each=6)
    no_burst(events)
    stored(*events)

    assert counts(population.neighbours_guessing) == dict.fromkeys(networks, 36)


def test_a_few_mistypes_among_neighbours_are_no_campaign() -> None:
    stored(*failures([v4(number) for number in range(9)], each=3))

    assert counts(population.neighbours_guessing) == {}


def test_one_loud_guesser_does_not_accuse_its_neighbours() -> None:
    stored(
        *failures([ATTACKER], each=9, user_agent="x"),
        *failures([ATTACKER], each=60),
        *failures([v4(number, "203.0.113") for number in range(1, 8)], each=2),
    )

    assert counts(population.neighbours_guessing) == {}


def test_three_that_guess_as_much_as_passes_unseen_are_too_few() -> None:
    stored(*failures([v4(number) for number in range(3)], each=10))

    assert counts(population.neighbours_guessing) == {}


def test_a_network_that_is_none_fails_no_question() -> None:
    """As a row written by hand could hold."""
    stored(*failures(["no network"], each=9))

    assert counts(population.neighbours_guessing) == {}


def test_strangers_to_each_other_are_no_neighbours() -> None:
    stored(*failures([elsewhere(number) for number in range(6)], each=6))

    assert counts(population.neighbours_guessing) == {}


def test_a_carrier_whose_logins_are_mostly_good_is_spared() -> None:
    stored(
        *failures([v4(number) for number in range(6)], each=6),
        *[good_login(NOON + minutes(number), v4(100 + number), account=f"owner-{number}") for number in range(37)],
    )

    assert counts(population.neighbours_guessing) == {}


def test_who_logs_in_to_that_account_in_the_end_is_no_accomplice() -> None:
    stored(
        *failures([v4(number) for number in range(6)], each=6),
        *[failed_login(NOON + minutes(n), v4(77), account="grace") for n in range(3)],
        good_login(NOON + minutes(4), v4(77), account="grace"),
    )

    assert v4(77) not in counts(population.neighbours_guessing)
    assert len(counts(population.neighbours_guessing)) == 6


# Neighbours that search


def search(networks: Iterable[str], each: int, **fields: Any) -> list[Event]:
    """A list of made-up pages, shared out: each asks for other ones, a few minutes apart."""
    return [
        event(NOON + minutes(5 * turn), network, path=f"/{network[-2:]}x{turn}/", route="", status=404, **fields)
        for network in networks
        for turn in range(each)
    ]


def test_neighbours_that_share_out_a_search_are_found_together() -> None:
    networks = [v4(number) for number in range(10, 18)]
    events = search(networks, each=8)
    no_burst(events)
    stored(*events)

    assert counts(population.neighbours_probing) == dict.fromkeys(networks, 64)


def test_neighbours_that_follow_the_same_broken_links_have_no_list() -> None:
    stored(
        *[
            event(NOON + minutes(turn), v4(number), path=f"/old-{turn}/", route="", status=404)
            for number in range(10)
            for turn in range(10)
        ]
    )

    assert counts(population.neighbours_probing) == {}


def test_crawlers_that_mostly_find_what_they_ask_for_are_spared() -> None:
    networks = [v4(number) for number in range(10, 18)]
    stored(*search(networks, each=8), *[event(NOON + minutes(n % 60), v4(10 + n % 8)) for n in range(65)])

    assert counts(population.neighbours_probing) == {}


# One agent, many networks


def test_one_agent_that_only_fails_from_many_networks_is_found() -> None:
    networks = [elsewhere(number) for number in range(12)]
    events = failures(networks, each=1, user_agent="python-requests/2.31")
    no_burst(events)
    stored(*events, *failures([v4(1)], each=3, user_agent="Chrome"))

    assert counts(population.shared_agent_guessing) == dict.fromkeys(networks, 12)


@pytest.mark.parametrize("networks", [9, 40])
def test_an_agent_of_few_networks_or_with_good_logins_is_spared(networks: int) -> None:
    """A browser that half the world uses."""
    stored(
        *failures([elsewhere(number) for number in range(networks)], each=1, user_agent="Chrome"),
        *[
            good_login(NOON + minutes(number % 60), v4(number), account=f"owner-{number}")._replace(user_agent="Chrome")
            for number in range(networks // 8)
        ],
    )

    assert counts(population.shared_agent_guessing) == {}


def test_one_agent_that_only_searches_from_many_networks_is_found() -> None:
    networks = [elsewhere(number) for number in range(25)]
    events = [
        event(NOON + minutes(n * 2), network, path=f"/backup-{n}/", route="", status=404, user_agent="Mozilla/5.0")
        for n, network in enumerate(networks)
    ]
    no_burst(events)
    stored(*events, *shoppers(5))

    assert counts(population.shared_agent_probing) == dict.fromkeys(networks, 25)


def test_an_agent_that_finds_what_it_asks_for_is_spared() -> None:
    stored(
        *[
            event(NOON, elsewhere(n), path=f"/backup-{n}/", route="", status=404, user_agent="Chrome")
            for n in range(25)
        ],
        *shoppers(11),
    )

    assert counts(population.shared_agent_probing) == {}


def test_a_rare_agent_that_follows_a_broken_link_everywhere_has_no_list() -> None:
    """A release of an app that asks for a page which is gone."""
    stored(
        *[event(NOON, elsewhere(n), path=f"/gone-{n % 19}/", route="", status=404, user_agent="App") for n in range(40)]
    )

    assert counts(population.shared_agent_probing) == {}


# Rhythm


def ticking(every_s: float, number: int, shaken: float = 0.0, **fields: Any) -> list[Event]:
    """Ends within the hour that begins at noon; each tick up to `shaken` of the pause early or late."""
    chance = random.Random(7)
    start = NOON + minutes(59) - timedelta(seconds=every_s * number)
    return [
        failed_login(start + timedelta(seconds=every_s * (tick + chance.uniform(-shaken, shaken))), **fields)
        for tick in range(number)
    ]


@pytest.mark.parametrize("shaken", [0.0, 0.15, 0.25])
def test_passwords_guessed_by_a_timer_are_found_however_slowly(shaken: float) -> None:
    events = ticking(60, 125, shaken)
    no_burst(events)
    stored(*events)

    assert counts(population.machine_rhythm) == {ATTACKER: 125}


def test_a_timer_whose_guess_was_right_in_the_end_is_no_owner() -> None:
    stored(*ticking(60, 125), good_login(NOON + minutes(59)))

    assert counts(population.machine_rhythm) == {ATTACKER: 125}


def test_people_have_no_rhythm() -> None:
    chance = random.Random(1)
    stored(*[failed_login(NOON + minutes(chance.uniform(-110, 59))) for _ in range(120)])

    assert counts(population.machine_rhythm) == {}


def test_a_timer_of_less_than_two_hours_is_not_told_yet() -> None:
    stored(*ticking(60, 110))

    assert counts(population.machine_rhythm) == {}


def test_a_monitor_is_no_offender_even_where_its_page_is_gone() -> None:
    gone = ticking(60, 130, path="/status/", method="GET", kind="", status=404, route="")
    stored(*[one._replace(outcome="") for one in gone])

    assert counts(population.machine_rhythm) == {}


def test_cards_tried_by_a_timer_are_found() -> None:
    tries = [one._replace(outcome="payment_declined", status=402, kind="payment") for one in ticking(60, 125)]
    stored(*tries)

    assert counts(population.machine_rhythm) == {ATTACKER: 125}


def test_buying_at_a_timers_pace_is_no_offence_and_a_busy_shop_no_search() -> None:
    """What habits are told by: a cart, a payment."""
    carts = [
        one._replace(outcome="", status=201, kind="cart", network=v4(n % 20), path=f"/cart/{n}/", user_agent="App")
        for n, one in enumerate(ticking(60, 125))
    ]
    stored(*carts, *[one._replace(network=ATTACKER, request_id=f"other-{one.request_id}") for one in carts])

    assert counts(population.machine_rhythm) == {}
    assert counts(population.neighbours_probing) == counts(population.shared_agent_probing) == {}


def test_a_monitor_is_steady_where_that_is_asked() -> None:
    monitor = [one._replace(outcome="", status=200) for one in ticking(60, 130)]
    stored(*monitor)

    found = population.steady_requests(Hour(to_us(NOON)), Q(network=ATTACKER))

    assert [(finding.count, finding.severity.value) for finding in found] == [(130, "low")]
    assert population.steady_requests(Hour(to_us(NOON)), Q(network="198.51.100.4")) == []


# Against the others


def walk(number: int, paths: int, status: int = 403, **fields: Any) -> list[Event]:
    return [
        event(NOON + minutes(n * 59 / number), path=f"/api/orders/{n % paths}/", route="order", status=status, **fields)
        for n in range(number)
    ]


def test_a_walk_that_is_mostly_refused_is_found() -> None:
    events = walk(60, paths=60)
    no_burst(events)
    stored(*events, *shoppers(5))

    assert counts(population.mostly_errors) == {ATTACKER: 60}


def test_one_of_two_clients_is_compared_with_the_other() -> None:
    stored(*walk(60, paths=60), *shoppers(1))

    assert counts(population.mostly_errors) == {ATTACKER: 60}


@pytest.mark.parametrize(
    "harmless",
    [
        walk(59, paths=59),
        walk(300, paths=5),  # an app with a stale token
        walk(60, paths=60) + walk(61, paths=61, status=200),
        walk(300, paths=60, status=404, kind="health"),
        # a page whose pictures are gone
        [one._replace(route="", path=one.path + "a.png") for one in walk(100, paths=100, status=404)],
    ],
    ids=["too few", "few paths", "mostly good", "health checks", "pictures"],
)
def test_errors_that_have_other_reasons_are_not(harmless: list[Event]) -> None:
    stored(*harmless, *shoppers(5))

    assert counts(population.mostly_errors) == {}


def test_nobody_is_accused_while_a_broken_release_fails_everybody() -> None:
    stored(*walk(60, paths=60), *[one._replace(status=404) for one in shoppers(5)])

    assert counts(population.mostly_errors) == {}


def test_many_attackers_do_not_hide_each_other_among_shoppers() -> None:
    stored(*walk(60, paths=60), *walk(60, paths=60, network=v4(4)), *shoppers(8))

    assert counts(population.mostly_errors).keys() == {ATTACKER, v4(4)}


def reading(pages: int, **fields: Any) -> list[Event]:
    return [
        event(NOON + timedelta(seconds=2 * n), path=f"/products/{n}/", user_agent="Chrome", **fields)
        for n in range(pages)
    ]


def test_who_copies_the_catalogue_is_found() -> None:
    stored(*reading(1_500), *shoppers(5))

    assert counts(population.wide_reading) == {ATTACKER: 1_500}


def test_who_reads_little_or_the_same_again_is_not() -> None:
    stored(*reading(1_499), *[one._replace(network=v4(5), path="/") for one in reading(1_600)], *shoppers(5))

    assert counts(population.wide_reading) == {}


def test_browsers_behind_one_address_are_counted_apart() -> None:
    office = [one._replace(user_agent=f"Chrome {n % 3}") for n, one in enumerate(reading(1_700))]
    stored(*office, *shoppers(5))

    assert counts(population.wide_reading) == {}


def test_nobody_reads_too_much_where_everybody_reads_much() -> None:
    stored(*reading(1_500), *shoppers(5, requests=80))

    assert counts(population.wide_reading) == {}


def slow(network: str, seconds: float, times: int = 60) -> list[Event]:
    return [event(NOON + minutes(n % 60), network, duration_us=int(seconds * 1_000_000 / times)) for n in range(times)]


def test_who_keeps_the_servers_busy_is_found_by_time_not_by_count() -> None:
    others = [one for number in range(9) for one in slow(elsewhere(number), 150, times=200)]
    stored(*slow(ATTACKER, 600), *others)

    assert counts(population.takes_most_time) == {ATTACKER: 600}


@pytest.mark.parametrize(("own_s", "others", "each_s"), [(599, 9, 10), (600, 9, 160), (6_000, 8, 10)])
def test_little_time_a_small_share_or_a_small_shop_accuse_nobody(own_s: int, others: int, each_s: int) -> None:
    stored(*slow(ATTACKER, own_s), *[one for n in range(others) for one in slow(elsewhere(n), each_s)])

    assert counts(population.takes_most_time) == {}


# All of them


def test_every_question_finds_nothing_in_an_hour_without_rows() -> None:
    assert [found for question in population.QUESTIONS for found in question(Hour(to_us(NOON)))] == []


def test_every_rule_of_the_sweep_is_asked() -> None:
    """The questions of this page, by the names of their rules; the low one is asked by itself."""
    asked = {question.__name__.replace("_", "-") for question in population.QUESTIONS}

    assert asked | {"steady-requests"} == {rule.name for rule in HOURLY_RULES}


def test_the_client_without_address_accuses_and_is_accused_of_nothing() -> None:
    """Everybody behind a peer without an address is this one."""
    stored(*walk(60, paths=60, network="unknown"), *reading(1_500, network="unknown"), *shoppers(5))

    assert counts(population.mostly_errors) == counts(population.wide_reading) == {}


def test_evidence_is_the_first_telling_rows_of_each_network() -> None:
    stored(*walk(80, paths=80), *walk(30, paths=30, status=200), *shoppers(5))

    [found] = population.mostly_errors(Hour(to_us(NOON)))

    assert [shown.status for shown in found.evidence] == [403] * 10
    assert found.evidence[0].at_us == found.first_seen_us == to_us(NOON)
    assert [shown.path for shown in found.evidence[:2]] == ["/api/orders/0/", "/api/orders/1/"]
    assert found.last_seen_us == to_us(NOON + minutes(79 * 59 / 80))
    assert (found.decides, found.rule_version, found.threshold, found.window_s) == (False, 1, 60, 3_600)
