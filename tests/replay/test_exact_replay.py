"""A replay comes to what the gate said: the same script, the same plans, the same order, whatever the clock did."""

from __future__ import annotations

import random

import pytest

from ip_tracking import conf
from ip_tracking.detection import bursts
from ip_tracking.detection.rules import RULES
from ip_tracking.event import US
from ip_tracking.gate import store
from ip_tracking.gate.policies import rows, table_of
from ip_tracking.replay import flags
from ip_tracking.replay.changes import Change, Tables
from ip_tracking.replay.counters import DELETE_EVERY, Counters, NoCounters
from ip_tracking.replay.door import Door, House
from tests.simulators.benign import Asked
from tests.simulators.living_gate import refusals
from tests.traffic import event, failed_login

NOON_US = 1_800_000_000 * US
HOUSE = House(lambda route, method: frozenset(), frozenset({"GET", "POST"}), logins_at_door=False)
TIGHT = {
    "site": {"rates": ["30/m", "200/h"]},
    "login": {"rates": ["2/m"]},
    "login-hourly": {"rates": ["20/h"]},
    "login-account": {"rates": ["8/15m"]},
    "payment": {"rates": ["2/m"]},
    "payment-declines": {"rates": ["2/10m"]},
    "quiet": {"rates": ["3/s"], "routes": ["*"], "key": "network", "mode": "shadow", "why": "a test"},
}
KINDS = {
    "login": ("POST", ("login_ok", "login_failed")),
    "payment": ("POST", ("payment_ok", "payment_declined")),
    "catalogue": ("GET", ("",)),
}


def traffic(seed: int, requests: int):
    """A crowd of few, so that they meet each other's limits; views take from nothing to three seconds."""
    draw = random.Random(seed)
    times = sorted(draw.randrange(3_600 * US) for _ in range(requests))
    for number, time_us in enumerate(times):
        kind = draw.choice(list(KINDS))
        method, outcomes = KINDS[kind]
        yield event(
            network=f"203.0.113.{draw.randrange(4)}",
            request_id=f"r{number}",
            method=method,
            kind=kind,
            route=kind,
            user=draw.choice(["", "7", "8"]),
            outcome=draw.choice(outcomes),
            account=draw.choice(["ada", "bob"]) if kind == "login" else "",
            duration_us=draw.choice([0, 1_000, 50_000, 3 * US]),
        )._replace(at_us=NOON_US + time_us)


@pytest.mark.parametrize("seed", range(3))
def test_the_same_requests_get_the_same_verdicts_as_from_the_living_gate(tracking, seed):
    tracking(POLICIES=TIGHT)
    events = list(traffic(seed, 1_500))
    living = list(refusals(Asked(one) for one in events))
    loose, tight = (Door(table_of(rows(given)), HOUSE) for given in ({}, TIGHT))

    with Counters(conf.get().store_url, 3_600 * US) as counters:
        replayed = [counters.answer([loose.refuses(one), tight.refuses(one)], one.at_us)[1] for one in events]

    assert replayed == living
    assert {"site", "login", "login-account", "payment", "payment-declines"} <= set(living)


def test_two_worlds_do_not_count_together():
    one = event()._replace(at_us=NOON_US)
    strict = table_of({"site": {"rates": ["1/m"], "routes": ["*"], "why": "a test"}})
    doors = [Door(strict, HOUSE), Door(strict, HOUSE)]

    with Counters(conf.get().store_url, 60 * US) as counters:
        refused = [counters.answer([door.refuses(one) for door in doors], NOON_US) for _ in range(2)]

    assert refused == [["", ""], ["site", "site"]]


def test_a_counter_outlives_its_window_by_the_servers_clock():
    """However slowly a busy second is replayed, its counters are there until the second is over."""
    door = Door(table_of({"fast": {"rates": ["1/s"], "routes": ["*"], "why": "a test"}}), HOUSE)
    client = store.get().client

    with Counters(conf.get().store_url, US) as counters:
        counters.answer([door.refuses(event()._replace(at_us=NOON_US))], NOON_US)
        [key] = client.keys("*what-if*fast")
        left_ms = client.pttl(key)
    gone = client.keys("*what-if*")

    assert left_ms > 3_600_000
    assert gone == []


def test_the_server_holds_the_counters_of_one_window_only():
    door = Door(table_of({"fast": {"rates": ["1/s"], "routes": ["*"], "why": "a test"}}), HOUSE)
    client = store.get().client

    with Counters(conf.get().store_url, US) as counters:
        for number in range(DELETE_EVERY):
            one = event(network=f"n{number}")._replace(at_us=NOON_US + number * US // 2)
            counters.answer([door.refuses(one)], one.at_us)
        held = client.dbsize()

    assert held <= 3


def test_a_server_without_room_is_refused():
    """What it would evict first are real counters."""
    client = store.get().client
    client.config_set("maxmemory", int(client.info("memory")["used_memory"] * 1.5))

    try:
        with pytest.raises(NoCounters, match="full, and a replay could cost it real counters"):
            Counters(conf.get().store_url, US).__enter__()
    finally:
        client.config_set("maxmemory", 0)


def flagged(events) -> set[tuple]:
    """All that a replay finds: of a table that flags nothing before, all is new."""
    change = Change(Tables((), ()), Tables((), RULES), (), (), ())
    return {told(finding) for found in flags.find(events, 0, change).newly for finding in found}


def told(finding) -> tuple:
    return finding.network, finding.rule, finding.hour_us, finding.count, finding.first_seen_us, finding.last_seen_us


@pytest.mark.parametrize("seed", range(3))
def test_findings_are_those_of_live_detection(seed):
    """Over several hours, across their borders, and past what is looked at of one hour."""
    draw = random.Random(seed)
    shown = ["failed-login", "missing-path", "foreign-software:wordpress", "sensitive-file:dotenv", "refused-by-policy"]
    events = sorted(
        (
            failed_login(
                network=network, symptoms=draw.choice(shown), path=f"/{draw.choice('abcdefghijklmno')}/x"
            )._replace(at_us=NOON_US + draw.randrange(4 * 3_600 * US))
            for network, times in (("203.0.113.1", 20_000), ("203.0.113.2", 300), ("203.0.113.3", 40))
            for _ in range(times)
        ),
        key=lambda one: (one.network, one.at_us, one.request_id),
    )

    live = {told(finding) for finding in bursts.find(bursts.earliest(events), RULES)}

    assert flagged(events) == live
    assert len({finding[1] for finding in live}) >= 4
