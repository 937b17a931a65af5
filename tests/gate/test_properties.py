"""What the limiter promises, against clients that hypothesis makes up, on a real Valkey with the time passed in.

Requests come in runs: so many, so far apart, each of that cost, after the store's clock was perhaps set back.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import http_sf
import pytest
from django.http import HttpResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from ip_tracking.event import US
from ip_tracking.gate.responses import add_fields
from ip_tracking.gate.verdict import Verdict
from tests.gate.clients import Clock, Network, Window, plan_costing, published
from tests.gate.conftest import NOON_US

WINDOW_US = 60 * US
GATHER_US = WINDOW_US // 16
STEP_US = 5 * US

prove = settings(max_examples=150, deadline=None)


class Run(NamedTuple):
    """A run of requests."""

    times: int
    gap_us: int
    cost: int
    back_us: int  # how far the store's clock is set back before it


# Bursts, an even pace, edges of slots and windows, whole seconds (they meet again if the clock is set back), any.
GAPS_US = st.one_of(
    st.just(0),
    st.sampled_from([1, GATHER_US - 1, GATHER_US, WINDOW_US // 100, WINDOW_US // 5, WINDOW_US - 1, WINDOW_US]),
    st.integers(0, 12).map(lambda seconds: seconds * US),
    st.integers(0, 2 * WINDOW_US),
)
RATES = st.sampled_from(
    [["1/m"], ["5/m"], ["16/m"], ["17/m"], ["100/m"], ["5/10s", "16/m"], ["17/m", "100/10m"], ["100/m", "100/10m"]]
)
RUNS = st.lists(
    st.builds(Run, st.integers(1, 40), GAPS_US, st.integers(1, 7), st.sampled_from([0, 0, 0, STEP_US])),
    min_size=1,
    max_size=12,
)


def affordable(rates: list[str], cost: int) -> int:
    """A policy's cost must fit into its limit."""
    return min(cost, *(int(rate.partition("/")[0]) for rate in rates))


# Retry-After


@prove
@given(RATES, RUNS, st.integers(1, 7))
def test_who_waits_as_told_is_admitted_then_and_not_a_second_earlier(rates, history, cost):
    """For its own cost, and for every policy that refused; the clock may have been set back before."""
    network, clock = Network(), Clock()
    _live_through(network, clock, rates, history)
    plan = plan_costing(rates, affordable(rates, cost))
    verdict = _ask_until_refused(network, clock, plan)

    now_us, longest_us = clock.shows_us, max(quota.wait_us for quota in verdict.quotas)
    then_us = now_us + verdict.retry_after_s * US

    assert network.ask(plan, then_us - US).refused
    assert network.ask(plan, now_us + longest_us - 1).refused
    for place, quota in enumerate(verdict.quotas):
        if quota.wait_us:
            assert network.look(plan, now_us + quota.wait_us - 1)[place].wait_us == 1
            assert network.look(plan, now_us + quota.wait_us)[place].wait_us == 0
    assert not network.ask(plan, then_us).refused


# RateLimit-Policy


@prove
@given(RATES, RUNS)
def test_who_keeps_to_every_published_window_is_never_refused(rates, visits):
    """As soon as its own log allows. It paces by the store's clock as its own requests see it: set back is no time."""
    network, clock = Network(), Clock()
    windows = published(plan_costing(rates, 1))
    own_us, seen_us = 0, clock.shows_us
    for run in visits:
        cost = affordable(rates, run.cost)
        plan = plan_costing(rates, cost)
        clock.behind_us += run.back_us
        for _ in range(run.times):
            clock.true_us += run.gap_us
            here_us = own_us + max(0, clock.shows_us - seen_us)
            may_us = _earliest_us(windows, here_us, cost)
            if may_us > here_us:
                clock.true_us += seen_us + may_us - own_us - clock.shows_us
            own_us, seen_us = may_us, clock.shows_us
            _note(windows, own_us, cost)

            assert not network.ask(plan, clock.shows_us).refused


@prove
@given(RATES, RUNS)
def test_who_paces_by_a_true_clock_is_never_refused_if_it_allows_for_what_the_stores_was_set_back(rates, visits):
    """No more can be promised: a store without a monotonic clock cannot tell a step from a client that came early."""
    network, clock = Network(), Clock()
    windows = published(plan_costing(rates, 1), allowance_us=STEP_US)
    rests_us = max(window.window_us for window in windows) + STEP_US
    stepped_us = -rests_us
    for run in visits:
        cost = affordable(rates, run.cost)
        plan = plan_costing(rates, cost)
        for number in range(run.times):
            if run.back_us and number == 0 and clock.true_us - stepped_us >= rests_us:
                clock.behind_us += STEP_US
                stepped_us = clock.true_us
            clock.true_us = _earliest_us(windows, clock.true_us + run.gap_us, cost)
            _note(windows, clock.true_us, cost)

            assert not network.ask(plan, clock.shows_us).refused


def test_who_paces_by_a_true_clock_is_refused_for_as_long_as_the_stores_was_set_back():
    network, plan = Network(), plan_costing(["1/m"], 1)
    network.ask(plan, NOON_US)

    verdict = network.ask(plan, NOON_US + WINDOW_US - STEP_US)

    assert verdict.retry_after_s == 5
    assert not network.ask(plan, NOON_US + WINDOW_US).refused


@pytest.mark.parametrize("pace", ["evenly", "in bursts", "at random"])
@pytest.mark.parametrize("cost", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_who_keeps_to_a_hundred_thousand_a_minute_is_never_refused(pace, cost):
    plan = plan_costing(["100000/m"], cost)
    (window,) = published(plan)
    draw = random.Random(f"{pace} {cost}")
    gap_us = {
        "evenly": lambda: window.window_us * cost // window.quota,
        "in bursts": lambda: 0,
        "at random": lambda: draw.choice([0, 0, draw.randrange(4_000 * cost)]),
    }[pace]
    moments_us = []
    for _ in range(5 * window.quota // (2 * cost)):
        now_us = _earliest_us([window], (moments_us[-1] if moments_us else NOON_US) + gap_us(), cost)
        _note([window], now_us, cost)
        moments_us.append(now_us)

    refused = [verdict.refused for verdict in Network().ask_often(plan, moments_us)]

    assert refused == [""] * len(moments_us)


# The limit


@prove
@given(RATES, RUNS, st.randoms(use_true_random=False))
def test_no_window_of_any_start_holds_more_than_the_limit(rates, history, draw):
    """By a true clock, whatever the slots gather and however often the store's is set back.

    Places are given back in between, some at once and some when their window is long over. One given back may be used
    again; of those not given back, no window holds more than the limit at any time.
    """
    network, clock = Network(), Clock()
    limits = [limit.rate for limit in plan_costing(rates, 1).stranger.limits]
    taken: list[tuple[int, int, Verdict]] = []
    for run in history:
        cost = affordable(rates, run.cost)
        plan = plan_costing(rates, cost)
        clock.behind_us += run.back_us
        for _ in range(run.times):
            clock.true_us += run.gap_us
            verdict = network.ask(plan, clock.shows_us)
            if not verdict.refused:
                taken.append((clock.true_us, cost, verdict))
            for rate in limits:
                start_us = clock.true_us - rate.window_us

                assert sum(cost for at_us, cost, _ in taken if at_us > start_us) <= rate.limit
            if taken and draw.random() < 0.3:
                network.give_back(taken.pop(draw.randrange(len(taken)))[2])


@pytest.mark.parametrize("cost", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_no_minute_holds_more_than_a_hundred_thousand(cost):
    """A greedy client, twice as fast as it may: the slots gather thousands each."""
    plan = plan_costing(["100000/m"], cost)
    step_us = WINDOW_US * cost // 200_000
    moments_us = [NOON_US + number * step_us for number in range(250_000 // cost)]
    kept, admitted = Window(100_000, WINDOW_US), 0

    for now_us, verdict in zip(moments_us, Network().ask_often(plan, moments_us), strict=True):
        if not verdict.refused:
            assert kept.earliest_us(now_us, cost) == now_us
            kept.note(now_us, cost)
            admitted += cost

    assert admitted > 110_000


# RateLimit


@prove
@given(RATES, RUNS, st.integers(1, 7), st.randoms(use_true_random=False))
def test_who_sends_no_more_than_is_left_within_its_effective_window_is_never_refused(rates, history, cost, draw):
    network, clock = Network(), Clock()
    _live_through(network, clock, rates, history)
    plan = plan_costing(rates, affordable(rates, cost))
    items = _told(_ask_until_admitted(network, clock, plan))
    requests = min(item["r"] // affordable(rates, cost) for item in items.values())
    within_us = min(item["t"] for item in items.values()) * US

    moments_us = sorted(clock.shows_us + draw.randrange(within_us) for _ in range(requests))

    assert not any(network.ask(plan, at_us).refused for at_us in moments_us)


@prove
@given(RATES, RUNS, st.integers(1, 7))
def test_an_effective_window_ends_to_the_second_when_more_is_left(rates, history, cost):
    network, clock = Network(), Clock()
    _live_through(network, clock, rates, history)
    plan = plan_costing(rates, affordable(rates, cost))
    verdict = _ask_until_admitted(network, clock, plan)

    for place, (quota, item) in enumerate(zip(verdict.quotas, _told(verdict).values(), strict=True)):
        before_us, then_us = clock.shows_us + (item["t"] - 1) * US, clock.shows_us + item["t"] * US

        assert network.look(plan, before_us)[place].used == quota.used
        assert network.look(plan, then_us)[place].used < quota.used


@prove
@given(RATES, RUNS, st.integers(1, 7))
def test_a_refusing_policy_has_nothing_left_and_tells_no_longer_window_than_retry_after(rates, history, cost):
    network, clock = Network(), Clock()
    _live_through(network, clock, rates, history)

    verdict = _ask_until_refused(network, clock, plan_costing(rates, affordable(rates, cost)))

    refusing = [_told(verdict)[name] for name in verdict.violated]
    assert refusing
    assert all(item["r"] == 0 and item["t"] <= verdict.retry_after_s for item in refusing)


def _live_through(network: Network, clock: Clock, rates: list[str], history: list[Run]) -> None:
    """Asks greedily, so that the counters hold whatever such a life leaves in them."""
    for run in history:
        plan = plan_costing(rates, affordable(rates, run.cost))
        clock.behind_us += run.back_us
        for _ in range(run.times):
            clock.true_us += run.gap_us
            network.ask(plan, clock.shows_us)


def _ask_until_refused(network: Network, clock: Clock, plan: object) -> Verdict:
    for _ in range(101):
        verdict = network.ask(plan, clock.shows_us)
        if verdict.refused:
            return verdict
    raise AssertionError("a limit of a hundred let a hundred and one pass")


def _ask_until_admitted(network: Network, clock: Clock, plan: object) -> Verdict:
    verdict = network.ask(plan, clock.shows_us)
    if verdict.refused:
        clock.true_us += verdict.retry_after_s * US
        verdict = network.ask(plan, clock.shows_us)
    assert not verdict.refused
    return verdict


def _told(verdict: Verdict) -> dict[str, dict[str, int]]:
    """What RateLimit says of each policy."""
    response = HttpResponse()
    add_fields(response, verdict.quotas)
    return dict(http_sf.parse(response["RateLimit"].encode(), tltype="list"))


def _earliest_us(windows: list[Window], now_us: int, cost: int) -> int:
    """When all windows have room: waiting for one lets time pass for the others."""
    return max(window.earliest_us(now_us, cost) for window in windows)


def _note(windows: list[Window], now_us: int, cost: int) -> None:
    for window in windows:
        window.note(now_us, cost)
