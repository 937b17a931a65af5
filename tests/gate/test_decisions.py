"""Block, throttle, allow: rows are the truth, the store and a table are copies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ip_tracking.gate import decisions, store
from ip_tracking.gate.limiter import decision_key
from ip_tracking.models import Decision
from metrics import breaker
from tests.gate.conftest import Caller

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


@pytest.fixture
def now() -> datetime:
    """The store's clock expires keys, so decisions are made against the real time."""
    return datetime.now(UTC)


def decide(kind: str, network: str, now: datetime, until: datetime | None = None) -> Decision:
    return decisions.decide(
        kind, network, until=until or now + HOUR, reason="a test", actor="dana", by_person=True, now=now
    )


def refused(caller: Caller) -> str:
    return caller.ask().refused


def test_a_block_of_an_exact_network_holds_at_once(caller, now):
    decide("block", "203.0.113.7", now)

    assert refused(caller("5/m")) == "block"
    assert refused(caller("5/m", network="203.0.113.8")) == ""


def test_a_block_binds_known_callers_too_and_a_throttle_only_strangers(caller, now):
    decide("block", "203.0.113.7", now)
    decide("throttle", "203.0.113.8", now)

    assert refused(caller("5/m", user="42")) == "block"
    assert refused(caller("5/m", network="203.0.113.8")) == "throttle"
    assert refused(caller("5/m", network="203.0.113.8", user="42")) == ""
    assert refused(caller("5/m", network="203.0.113.8", user="42", key="network")) == ""


def test_a_throttle_says_when_it_ends(caller, now):
    decide("throttle", "203.0.113.7", now, until=now + timedelta(seconds=90))

    assert 88 <= caller("5/m").ask().retry_after_s <= 90


def test_a_decision_ends_by_itself(caller, now):
    decide("block", "203.0.113.7", now)

    lives_ms = store.get().client.pttl("sentinel:{n:203.0.113.7}:decision")

    assert 3_590_000 < lives_ms <= 3_600_000
    assert not Decision.objects.standing(now + HOUR).exists()


def test_ending_a_block_lets_the_network_pass_at_once(caller, now):
    decide("block", "203.0.113.7", now)

    ended = decisions.end("203.0.113.7", now)

    assert ended == 1
    assert refused(caller("5/m")) == ""


def test_a_wide_decision_is_found_by_every_network_within(now):
    decide("block", "198.51.100.0/24", now)
    decide("block", "2001:db8:1::/48", now)
    decisions.refresh(now)

    found = {
        network: decisions.find(network, now)
        for network in ("198.51.100.77", "198.51.101.77", "2001:db8:1:5::/64", "2001:db8:2:5::/64", "unknown")
    }

    assert [network for network, wide in found.items() if wide] == ["198.51.100.77", "2001:db8:1:5::/64"]


def test_the_allow_list_lifts_a_wide_block(now):
    decide("block", "198.51.100.0/24", now)
    decide("allow", "198.51.100.7", now)
    decisions.refresh(now)

    assert decisions.find("198.51.100.7", now).kind == "allow"
    assert decisions.find("198.51.100.8", now).kind == "block"
    assert decisions.is_allowed("198.51.100.7", now)


def test_a_wide_decision_ends_in_the_table_too(now):
    decide("block", "198.51.100.0/24", now)
    decisions.refresh(now)

    assert decisions.find("198.51.100.7", now + HOUR) is None


def test_another_process_change_is_seen_at_the_next_refresh(now):
    decisions.refresh(now)
    decide("block", "198.51.100.0/24", now)

    before = decisions.find("198.51.100.7", now)
    decisions.refresh(now)

    assert before is None
    assert decisions.find("198.51.100.7", now).kind == "block"


def test_a_store_that_lost_its_data_is_filled_again(caller, now):
    decide("block", "203.0.113.7", now)
    store.get().client.flushdb()

    before = refused(caller("5/m"))
    decisions.refresh(now)

    assert (before, refused(caller("5/m"))) == ("", "block")


def test_a_decision_made_while_the_store_was_away_reaches_it_later(caller, now, tracking):
    url = tracking().store_url
    decisions.refresh(now)
    tracking(STORE_URL="unix:///nowhere.sock")
    decide("block", "203.0.113.7", now)
    tracking(STORE_URL=url)

    before = refused(caller("5/m"))
    decisions.refresh(now)

    assert (before, refused(caller("5/m"))) == ("", "block")


def test_whoever_decides_does_not_wait_for_a_store_that_is_known_to_be_away(caller, now, tracking):
    """The row waits for the background thread, which has the time."""
    gate = breaker.of(tracking().store_url)
    gate.failed(gate.enter(), ConnectionError())
    decide("block", "203.0.113.7", now)

    before = store.get().client.exists(decision_key("203.0.113.7"))
    decisions.refresh(now)

    assert (before, store.get().client.get(decision_key("203.0.113.7"))) == (0, b"block")


def test_a_new_decision_of_the_same_kind_takes_the_place_of_the_old(now):
    decide("block", "203.0.113.7", now)
    decide("block", "203.0.113.7", now, until=now + 2 * HOUR)

    assert [d.until for d in Decision.objects.standing(now)] == [now + 2 * HOUR]


# How long


def served(now: datetime, times: int, network: str = "203.0.113.7") -> datetime:
    """Lets a network serve so many terms, one after the other; returns when the last has run out."""
    for _ in range(times):
        until = now + decisions.term(network, HOUR, now)
        decide("block", network, now, until=until)
        now = until
        decisions.copy_pending(now)
    return now


@pytest.mark.parametrize(("times", "hours"), [(0, 1), (1, 2), (2, 4), (7, 128), (8, 168), (9, 168)])
def test_each_term_is_twice_the_one_before_up_to_a_week(now, times, hours):
    later = served(now, times)

    assert decisions.term("203.0.113.7", HOUR, later) == hours * HOUR
    assert decisions.term("203.0.113.8", HOUR, later) == HOUR


def test_a_throttle_counts_as_a_block_does(now):
    decide("throttle", "203.0.113.7", now)

    assert decisions.term("203.0.113.7", HOUR, now + HOUR) == 2 * HOUR


def test_what_ran_out_thirty_days_ago_is_forgotten(now):
    later = served(now, 3)

    assert decisions.term("203.0.113.7", HOUR, later + timedelta(days=30) - HOUR) > HOUR
    assert decisions.term("203.0.113.7", HOUR, later + timedelta(days=30)) == HOUR


def test_what_a_person_ended_before_its_time_does_not_count(now):
    decide("block", "203.0.113.7", now)
    decisions.end("203.0.113.7", now + HOUR / 2)

    assert decisions.term("203.0.113.7", HOUR, now + 2 * HOUR) == HOUR


def test_what_still_stands_or_was_replaced_counts_once_and_when_it_is_over(now):
    decide("block", "203.0.113.7", now)
    decide("block", "203.0.113.7", now, until=now + 24 * HOUR)

    assert decisions.term("203.0.113.7", HOUR, now + 2 * HOUR) == HOUR
    assert decisions.term("203.0.113.7", HOUR, now + 25 * HOUR) == 2 * HOUR


def test_an_allow_that_ran_out_is_no_offence(now):
    decide("allow", "203.0.113.7", now)

    assert decisions.term("203.0.113.7", HOUR, now + HOUR) == HOUR


def test_a_first_term_that_is_longer_than_a_week_is_not_cut(now):
    assert decisions.term("203.0.113.7", 720 * HOUR, now) == 720 * HOUR


def test_what_ran_out_is_closed_once_by_whoever_sees_it(now):
    decide("block", "203.0.113.7", now)
    decisions.refresh(now + 2 * HOUR)

    row = Decision.objects.get()
    assert row.ended_at == row.until
    assert not Decision.objects.to_copy(now + 3 * HOUR).exists()
