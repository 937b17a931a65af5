"""Counting, on a real Valkey, with the time passed in."""

from __future__ import annotations

from ip_tracking.event import US
from ip_tracking.gate import limiter, store
from ip_tracking.gate.plan import plan_of
from ip_tracking.steps import drive
from tests.gate.conftest import NOON_US, Caller, policy


def test_one_more_than_the_limit_is_refused(caller):
    someone = caller("5/m")

    passed = [someone.passes(at_s) for at_s in range(6)]

    assert passed == [True] * 5 + [False]


def test_a_place_is_free_again_when_its_request_is_a_whole_window_old(caller):
    someone = caller("2/m")
    someone.ask(0)
    someone.ask(10)

    early, in_time = someone.passes(59.999_999), someone.passes(60)

    assert (early, in_time) == (False, True)


def test_a_fixed_window_would_let_twice_the_number_through_and_this_does_not(caller):
    """Ten at the end of one minute and ten at the start of the next: twenty within two seconds."""
    someone = caller("10/m")
    before = sum(someone.passes(59 + i / 100) for i in range(10))

    after = sum(someone.passes(60 + i / 100) for i in range(10))

    assert (before, after) == (10, 0)


def test_a_large_limit_costs_little_memory(caller):
    someone = caller("100000/m")
    for i in range(2_000):
        someone.ask(i / 10)

    size = store.get().client.strlen(someone.ask(200).quotas[0].key)

    assert size <= 12 + 18 * 20


def test_the_counter_goes_away_by_itself(caller):
    someone = caller("5/m")

    key = someone.ask(0).quotas[0].key

    assert 59_000 < store.get().client.pttl(key) <= 60_001


def test_a_refused_request_leaves_every_counter_as_it_was():
    someone = Caller(plan_of([policy("1/m", name="tight"), policy("100/m", name="wide")]))
    someone.ask(0)
    keys = sorted(store.get().client.keys("sentinel:*"))
    before = store.get().client.mget(keys)

    verdict = someone.ask(1)

    assert verdict.refused == "tight"
    assert store.get().client.mget(keys) == before


def test_retry_after_counts_for_every_policy_that_refused():
    someone = Caller(plan_of([policy("1/10s", name="short"), policy("1/m", name="long")]))
    someone.ask(0)

    verdict = someone.ask(1)

    assert (verdict.violated, verdict.retry_after_s) == (["short", "long"], 59)


def test_a_dear_request_takes_as_many_places_as_it_costs(caller):
    someone = caller("10/m", cost=4)

    passed = [someone.passes(at_s) for at_s in range(3)]

    assert passed == [True, True, False]


def test_a_place_given_back_can_be_taken_again(caller):
    someone = caller("1/m")
    verdict = someone.ask(0)

    someone.returns(verdict)

    assert someone.passes(1)


def test_giving_back_frees_the_very_place_that_was_taken(caller):
    """The older request stays and leaves when its own minute is over."""
    someone = caller("2/m")
    someone.ask(0)
    later = someone.ask(30)

    someone.returns(later)

    assert someone.passes(31)
    assert not someone.passes(59)
    assert someone.passes(60)


def test_a_place_that_has_left_has_nothing_to_give_back(caller):
    someone = caller("1/m")
    first = someone.ask(0)
    someone.ask(60)

    someone.returns(first)

    assert not someone.passes(61)


def test_a_shadow_policy_counts_but_never_refuses(caller):
    someone = caller("1/m", mode="shadow")
    someone.ask(0)

    verdict = someone.ask(1)

    assert verdict.refused == ""
    assert verdict.quotas[0].wait_us > 0


def test_a_shadow_policy_over_its_limit_does_not_keep_others_from_counting():
    someone = Caller(plan_of([policy("1/m", name="shadow", mode="shadow"), policy("2/m", name="real")]))

    refused = [someone.ask(at_s).refused for at_s in range(3)]

    assert refused == ["", "", "real"]


def test_the_effective_window_lasts_until_the_oldest_slot_leaves(caller):
    """A gathering slot leaves when its last request is a window old."""
    someone = caller("100/m")

    leaves_s = [someone.ask(at_s).quotas[0].leave_us / US for at_s in (0, 1, 3, 10)]

    assert leaves_s == [60, 60, 60, 53]


def test_a_known_caller_is_counted_apart_from_the_strangers_of_the_network(caller):
    stranger, buyer = caller("1/m"), caller("1/m", user="42")
    stranger.ask(0)

    elsewhere = caller("1/m", user="42", network="198.51.100.1")

    assert not stranger.passes(1)
    assert buyer.passes(1)
    assert not elsewhere.passes(2)


def test_an_account_is_counted_over_all_networks():
    plan = plan_of([policy("1/m", kinds=["login"], key="account")])
    Caller(plan, "203.0.113.1").ask(0, account="abc")

    verdict = Caller(plan, "203.0.113.2").ask(1, account="abc")

    assert verdict.refused == "test"


def test_when_the_account_refuses_the_network_gets_its_place_back():
    plan = plan_of(
        [policy("2/m", name="net", kinds=["login"], key="network"), policy("1/m", kinds=["login"], key="account")]
    )
    someone = Caller(plan)
    someone.ask(0, account="abc")

    refused = someone.ask(1, account="abc").refused

    assert refused == "test"
    assert not someone.ask(2, account="other").refused


def test_a_clock_that_steps_back_neither_refuses_nor_widens(caller):
    someone = caller("3/m")
    for at_s in (100, 101):
        someone.ask(at_s)

    passed = [someone.passes(96), someone.passes(97)]

    assert passed == [True, False]
    assert someone.passes(96 + 60)


def test_a_step_back_counts_once_though_a_place_was_given_back_since(caller):
    someone = caller("2/m")
    someone.ask(100)
    someone.returns(someone.ask(90))
    someone.ask(95)

    early, in_time = someone.passes(149), someone.passes(150)

    assert (early, in_time) == (False, True)


def test_a_place_is_given_back_though_the_clock_was_set_back_since(caller):
    someone = caller("2/m")
    first = someone.ask(100)
    someone.ask(90)

    someone.returns(first)

    assert someone.passes(91)
    assert not someone.passes(92)


def test_a_look_does_not_note_that_the_clock_was_set_back(caller):
    someone = caller("2/m")
    key = someone.ask(100).quotas[0].key
    before = store.get().client.get(key)

    drive(limiter.peek(someone.network, None, someone.plan, now_us=NOON_US))

    assert store.get().client.get(key) == before


def test_the_keys_of_one_call_share_a_hash_tag():
    """Else Redis Cluster refuses the call."""
    plan = plan_of([policy("5/m", name="one"), policy("5/m", "50/h", name="two", key="network")])
    steps = limiter.admit("203.0.113.7", None, plan, now_us=NOON_US)

    call = steps.send(None)

    assert {key[key.index("{") : key.index("}") + 1] for key in call.keys} == {"{n:203.0.113.7}"}
    assert len(call.keys) == 4


def test_without_a_given_time_the_stores_own_clock_counts(caller):
    someone = caller("5/m")

    verdict = drive(limiter.admit(someone.network, None, someone.plan))

    seconds, microseconds = store.get().client.time()
    assert 0 <= seconds * 1_000_000 + microseconds - verdict.now_us < 5_000_000


def test_a_look_shows_what_is_left_and_counts_nothing(caller):
    someone = caller("3/m")
    someone.ask(0)
    steps = limiter.peek(someone.network, None, someone.plan, now_us=NOON_US + US)

    (quota,) = drive(steps)

    assert (quota.used, quota.wait_us, quota.leave_us) == (1, 0, 59 * US)
    assert someone.ask(2).quotas[0].used == 2


def test_a_look_shows_every_limit_that_would_refuse():
    plan = plan_of([policy("1/m", name="mine"), policy("1/m", name="net", key="network")])
    Caller(plan, user="7").ask(0)

    quotas = drive(limiter.peek("203.0.113.7", "7", plan, now_us=NOON_US + US))

    assert [(quota.limit.name, quota.wait_us) for quota in quotas] == [("net", 59 * US), ("mine", 59 * US)]
