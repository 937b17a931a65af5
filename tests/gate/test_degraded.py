"""The store is away: open, degraded and closed, by this process' own memory."""

from __future__ import annotations

import tracemalloc

import pytest

from ip_tracking.gate.degraded import COUNTERS, REMEMBERED, LocalLimiter, answer
from ip_tracking.gate.plan import group_of
from tests.gate.conftest import policy


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_an_open_policy_lets_everybody_pass():
    group = group_of([policy("1/m", store_away="open")])

    verdicts = [answer(group, ["open"]) for _ in range(5)]

    assert not any(verdict.refused for verdict in verdicts)


def test_a_closed_policy_refuses_as_reduced_capacity():
    verdict = answer(group_of([policy("100/m", store_away="closed")]), ["closed"])

    assert (verdict.refused, verdict.away) == ("test", True)
    assert verdict.retry_after_s >= 1


def test_a_degraded_policy_counts_in_this_process():
    group = group_of([policy("2/m", store_away="degraded")])

    refused = [answer(group, ["degraded"]).refused for _ in range(3)]

    assert refused == ["", "", "test"]


def test_a_shadow_policy_never_refuses_here_either():
    group = group_of([policy("1/m", store_away="closed", mode="shadow")])

    assert not answer(group, ["shadow"]).refused


def test_the_local_window_slides():
    clock = Clock()
    local = LocalLimiter(clock)
    limits = [(group_of([policy("1/m")]).limits[0], "key")]
    first = local.admit(limits)[0].wait_us

    clock.now_s = 59.0
    early = local.admit(limits)[0].wait_us
    clock.now_s = 60.0
    in_time = local.admit(limits)[0].wait_us

    assert (first, early, in_time) == (0, 1_000_000, 0)


def test_a_dear_request_takes_as_many_places_here_too():
    clock = Clock()
    local = LocalLimiter(clock)
    limits = [(group_of([policy("10/m", cost=4)]).limits[0], "key")]

    waits_us = []
    for clock.now_s in (0.0, 10.0, 20.0, 59.0, 60.0):
        waits_us += [local.admit(limits)[0].wait_us]

    assert waits_us == [0, 0, 40_000_000, 1_000_000, 0]


@pytest.mark.parametrize("cost", [1, 2_000])
def test_a_limit_past_what_is_remembered_is_held_to_that_and_tells_no_more_as_left(cost):
    local = LocalLimiter(Clock())
    limits = [(group_of([policy("5000/m", cost=cost)]).limits[0], "key")]

    quotas = [local.admit(limits)[0] for _ in range(REMEMBERED + 1)]

    admitted = [quota for quota in quotas if not quota.wait_us]
    assert len(admitted) == (REMEMBERED if cost == 1 else 1)
    assert admitted[-1].used == 5_000


def test_an_attacker_with_many_addresses_uses_bounded_memory():
    local = LocalLimiter(Clock())
    limits = group_of([policy("1/m", "9/h")]).limits
    tracemalloc.start()

    for number in range(50_000):
        local.admit([(limit, f"sentinel:{{n:203.0.113.{number}}}:{limit.name}") for limit in limits])
    used_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(local._logs) == COUNTERS
    assert used_bytes < 1_000 * COUNTERS


def test_a_place_given_back_can_be_taken_again_here_too():
    clock = Clock()
    local = LocalLimiter(clock)
    limits = [(group_of([policy("10/m", cost=4, counts="failures")]).limits[0], "key")]
    first, second = local.admit(limits), local.admit(limits)

    local.give_back(list(first))
    local.give_back(list(second))
    local.give_back(list(second))

    assert [local.admit(limits)[0].wait_us for _ in range(3)] == [0, 0, 60_000_000]


def test_what_was_refused_here_has_nothing_to_give_back():
    local = LocalLimiter(Clock())
    limits = [(group_of([policy("1/m")]).limits[0], "key")]
    local.admit(limits)

    refused = local.admit(limits)

    assert refused[0].slot == 0
