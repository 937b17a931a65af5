from __future__ import annotations

import pytest

from metrics.redis_stats.window import Counts, lifetime, window

THEN = {
    "keyspace_hits": 100,
    "keyspace_misses": 10,
    "evicted_keys": 5,
    "expired_keys": 7,
    "total_connections_received": 50,
    "info_calls": 20,
}
LATER = {
    "keyspace_hits": 130,
    "keyspace_misses": 20,
    "evicted_keys": 6,
    "expired_keys": 7,
    "total_connections_received": 51,
    "info_calls": 21,
}


def test_what_was_counted_is_the_difference() -> None:
    counts = window(THEN, LATER)

    assert counts == Counts(hits=30, misses=10, evicted=1, expired=0)
    assert counts.hit_ratio == 0.75
    assert counts.miss_ratio == 0.25


def test_since_the_start_is_what_the_server_says() -> None:
    assert lifetime(LATER) == Counts(hits=130, misses=20, evicted=6, expired=7)


def test_without_lookups_there_is_no_ratio() -> None:
    counts = Counts(hits=0, misses=0, evicted=0, expired=0)

    assert counts.hit_ratio is None
    assert counts.miss_ratio is None


@pytest.mark.parametrize("name", THEN)
def test_any_counter_that_fell_began_anew(name: str) -> None:
    assert window(THEN, {**LATER, name: THEN[name] - 1}) is None


@pytest.mark.parametrize("name", ["total_connections_received", "info_calls"])
def test_a_reading_that_did_not_count_itself_came_after_a_reset(name: str) -> None:
    """The lookups have grown past the old ones since, but our own connection and our own INFO are missing."""
    assert window(THEN, {**LATER, name: THEN[name]}) is None


def test_the_first_reset_shows_by_its_own_trace() -> None:
    assert window(THEN, {**LATER, "resetstat_usec": 26}) is None


def test_a_second_reset_shows_by_another_trace() -> None:
    assert window({**THEN, "resetstat_usec": 26}, {**LATER, "resetstat_usec": 31}) is None


def test_a_reset_of_long_ago_is_no_reset() -> None:
    assert window({**THEN, "resetstat_usec": 26}, {**LATER, "resetstat_usec": 26}) is not None


def test_a_server_that_hides_its_run_began_anew_when_it_is_up_for_a_shorter_time() -> None:
    assert window({**THEN, "uptime_in_seconds": 900}, {**LATER, "uptime_in_seconds": 30}) is None
    assert window({**THEN, "uptime_in_seconds": 900}, {**LATER, "uptime_in_seconds": 930}) is not None


def test_what_a_server_hides_is_not_counted() -> None:
    only_hits = {"keyspace_hits": 100}

    assert window(only_hits, {"keyspace_hits": 130}) == Counts(30, None, None, None)
    assert window(only_hits, LATER) == Counts(30, None, None, None)
    assert Counts(30, None, None, None).hit_ratio is None
