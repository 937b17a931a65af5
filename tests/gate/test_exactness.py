"""The limit holds: any number of processes and threads, on one real store, by its own clock."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import django
import pytest

from ip_tracking.event import US
from ip_tracking.gate import limiter
from ip_tracking.gate.plan import plan_of
from ip_tracking.steps import drive
from tests.gate.conftest import policy

PROCESSES, THREADS, REQUESTS, ROUNDS = 8, 16, 1_000, 20


def ask_often(rate: str, network: str, times: int, start: object) -> list[int]:
    """In a process of its own: `times` requests from 16 threads; returns when each admitted one was admitted."""
    plan = plan_of([policy(rate)])
    start.wait()

    def ask(_: int) -> int:
        verdict = drive(limiter.admit(network, None, plan))
        return 0 if verdict.refused else verdict.now_us

    with ThreadPoolExecutor(THREADS) as threads:
        return [at_us for at_us in threads.map(ask, range(times)) if at_us]


def admitted_at(pool, rate: str, network: str, times: int) -> list[int]:
    """Lets all processes ask at once; returns the admission times by the store's clock, in order."""
    with multiprocessing.get_context("spawn").Manager() as manager:
        start = manager.Event()
        jobs = [pool.apply_async(ask_often, (rate, network, times // PROCESSES, start)) for _ in range(PROCESSES)]
        start.set()
        return sorted(at_us for job in jobs for at_us in job.get(timeout=120))


@pytest.fixture(scope="module")
def pool():
    with multiprocessing.get_context("spawn").Pool(PROCESSES, initializer=django.setup) as processes:
        yield processes


@pytest.mark.slow
@pytest.mark.parametrize("limit", [1, 5, 50])
def test_of_a_thousand_parallel_requests_exactly_the_limit_passes(pool, limit):
    passed = [len(admitted_at(pool, f"{limit}/h", f"round-{limit}-{number}", REQUESTS)) for number in range(ROUNDS)]

    assert passed == [limit] * ROUNDS


@pytest.mark.slow
@pytest.mark.parametrize("limit", [1, 5, 50])
def test_no_window_of_any_start_holds_more_than_the_limit_under_parallel_load(pool, limit):
    """A window of one second, asked about for two or more: how many depends on the machine."""
    times = admitted_at(pool, f"{limit}/s", f"windows-{limit}", 40 * REQUESTS)

    spans_us = [later - earlier for earlier, later in zip(times, times[limit:], strict=False)]

    assert len(times) > limit
    assert min(spans_us) >= US
    assert all(earlier <= later for earlier, later in pairwise(times))


@pytest.mark.parametrize("limit", [1, 5, 50])
def test_of_two_hundred_parallel_requests_exactly_the_limit_passes(limit):
    """The quick form, in this process."""
    plan = plan_of([policy(f"{limit}/h")])

    with ThreadPoolExecutor(THREADS) as threads:
        verdicts = list(threads.map(lambda _: drive(limiter.admit("quick", None, plan)), range(200)))

    assert sum(not verdict.refused for verdict in verdicts) == limit
