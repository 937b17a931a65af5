"""The sliding windows: what makes a finding, and that nothing but the events does."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from ip_tracking.detection.bursts import COUNTED_APART, READ_BACK, earliest, find, read_from_us, widest_window_us
from ip_tracking.detection.finding import EVIDENCE_ROWS, Rule, Severity
from ip_tracking.detection.habits import CART_ADD, DATED_AGENT, LOGIN_TRY, PAID, RANDOM_QUERY
from ip_tracking.detection.pages import PAGE, UNLED_PAGE
from ip_tracking.detection.rules import RULES
from ip_tracking.detection.symptoms import MISSING_PATH
from ip_tracking.event import HOUR_US, US
from tests.detection.events import HOUR_S, NOON_US, asked, seen


def rule(**fields) -> Rule:
    known = {"symptom": "failed-login", "threshold": 3, "window_s": 60, **fields}
    return Rule("r", "R", "OAT-007", Severity.HIGH, reason="-", example="-", nearest_benign="-", **known)


def failed(at_s: float, number: int = 0, **fields):
    return asked("/login", at_s=at_s, number=number, symptoms="failed-login", **fields)


def missing(path: str, at_s: float, **fields):
    return asked(path, at_s=at_s, symptoms="missing-path", **fields)


def test_one_below_the_threshold_is_no_finding():
    assert find([failed(0), failed(1)], [rule(threshold=3)]) == []


def test_the_threshold_within_the_window_is_a_finding():
    events = [failed(0), failed(10), failed(59)]

    [finding] = find(events, [rule(threshold=3, window_s=60)])

    assert finding.network == "203.0.113.9"
    assert finding.hour_us == NOON_US
    assert (finding.count, finding.threshold, finding.window_s) == (3, 3, 60)
    assert finding.first_seen_us == events[0].at_us
    assert finding.last_seen_us == events[2].at_us
    assert finding.evidence == tuple(events)


def test_an_event_just_as_old_as_the_window_has_left_it():
    assert find([failed(0), failed(10), failed(60)], [rule(threshold=3, window_s=60)]) == []


def test_events_without_the_symptom_do_not_count():
    other = asked("/login", at_s=2, symptoms="missing-path")

    assert find([failed(0), failed(1), other], [rule(threshold=3)]) == []


def test_a_symptom_with_a_signature_counts_under_its_name():
    event = asked("/x", symptoms="missing-path exploit:jndi")

    [finding] = find([event], [rule(symptom="exploit", threshold=1)])

    assert finding.count == 1


def test_count_is_the_most_that_one_window_held():
    events = [failed(at) for at in (0, 1, 2, 300, 301, 302, 303, 304)]

    [finding] = find(events, [rule(threshold=3, window_s=60)])

    assert finding.count == 5
    assert finding.first_seen_us == events[0].at_us
    assert finding.last_seen_us == events[-1].at_us


def test_an_event_after_the_burst_and_outside_every_window_is_not_the_last_seen():
    events = [failed(0), failed(1), failed(2), failed(1_000)]

    [finding] = find(events, [rule(threshold=3, window_s=60)])

    assert finding.last_seen_us == events[2].at_us


def test_networks_are_counted_apart():
    events = [failed(at, network=f"203.0.113.{at}") for at in range(5)]

    assert find(events, [rule(threshold=2)]) == []


def test_a_burst_across_the_hour_belongs_to_the_hour_in_which_it_was_met():
    events = [failed(HOUR_S - 2), failed(HOUR_S - 1), failed(HOUR_S)]

    [finding] = find(events, [rule(threshold=3)])

    assert finding.hour_us == NOON_US + HOUR_US
    assert finding.first_seen_us == events[0].at_us


def test_each_hour_has_its_own_finding():
    events = [failed(HOUR_S + at) for at in (-5, -4, -3, 1, 2, 3)]

    first, second = find(events, [rule(threshold=3)])

    assert (first.hour_us, first.count) == (NOON_US, 3)
    assert (second.hour_us, second.count) == (NOON_US + HOUR_US, 6)


def test_hours_before_since_are_read_but_not_found():
    events = [failed(HOUR_S + at) for at in (-5, -4, -3, 1)]

    findings = find(events, [rule(threshold=3)], since_us=NOON_US + HOUR_US + 7 * US)

    assert [finding.hour_us for finding in findings] == [NOON_US + HOUR_US]


def test_distinct_paths_count_once_each():
    repeated = [missing("/broken", at) for at in range(20)]
    different = [missing(f"/guess-{name}", 30 + at) for at, name in enumerate("abc")]
    counting = rule(symptom="missing-path", threshold=4, distinct="path")

    assert find(repeated, [counting]) == []
    [finding] = find(repeated + different, [counting])
    assert finding.count == 4
    assert [event.path for event in finding.evidence] == ["/broken", "/guess-a", "/guess-b", "/guess-c"]


def test_a_distinct_value_leaves_the_window_with_its_last_event():
    counting = rule(symptom="missing-path", threshold=3, window_s=60, distinct="path")
    kept_alive = [missing("/a", 0), missing("/b", 30), missing("/a", 50), missing("/c", 70)]
    gone = [missing("/a", 0), missing("/b", 30), missing("/c", 70)]

    assert len(find(kept_alive, [counting])) == 1
    assert find(gone, [counting]) == []


def test_paths_that_differ_by_a_number_or_an_identifier_are_one():
    counting = rule(symptom="missing-path", threshold=2, distinct="path")
    products = [missing(f"/products/{number}/image", number) for number in range(1_000, 1_030)]
    orders = [missing(f"/orders/6f1d2c3b-9a87-4e65-8c1d-01234567{n}/", n) for n in range(1000, 1030)]

    assert find(products, [counting]) == []
    assert find(orders, [counting]) == []


def test_endings_are_one_whatever_thing_they_are_asked_of():
    counting = rule(symptom="missing-path", threshold=3, distinct="ending")
    reviews = [missing(f"/api/products/{name}/reviews/", at) for at, name in enumerate("abcdef")]
    guesses = [missing(f"/api/v1/{name}", at) for at, name in enumerate("abc")]
    in_first_part = [missing(f"/{name}/login", at) for at, name in enumerate("abc")]

    assert find(reviews, [counting]) == []
    assert find(guesses, [counting])[0].count == 3
    assert find(in_first_part, [counting])[0].count == 3


def test_short_numbers_and_guesses_in_the_first_part_are_different_paths():
    counting = rule(symptom="missing-path", threshold=3, distinct="path")
    numbered = [missing(f"/backup/{number}/", number) for number in range(3)]
    guessed = [missing(f"/backup-{year}.zip", year) for year in range(2024, 2027)]

    assert find(numbered, [counting])[0].count == 3
    assert find(guessed, [counting])[0].count == 3


def test_a_folder_is_one_place_however_many_pages_are_missing_in_it():
    counting = rule(symptom="missing-path", threshold=3, distinct="folder")
    one_part = [missing(f"/blog/{name}/", at) for at, name in enumerate("abcdef")]
    three_parts = [missing(path, at) for at, path in enumerate(("/blog/a/", "/old.php", "/admin/x"))]

    assert find(one_part, [counting]) == []
    assert find(three_parts, [counting])[0].count == 3


def test_what_excuses_begins_the_count_anew():
    counting = rule(threshold=3, unless="paid")
    paid = asked("/", at_s=2.5, symptoms="paid")

    assert find([failed(1), failed(2), paid, failed(3), failed(4)], [counting]) == []
    assert find([failed(1), failed(2), paid, failed(3), failed(4), failed(5)], [counting])[0].count == 3


def test_where_each_user_counts_apart_strangers_do_not_count():
    counting = rule(threshold=3, each="user")
    many = [failed(at, user=f"u{at}") for at in range(9)]
    strangers = [failed(at) for at in range(9)]
    one = [failed(at, number=1, user="u1") for at in range(2, 5)]

    assert find(many + strangers, [counting]) == []
    assert find(many + strangers + one, [counting])[0].count == 4


def test_users_who_each_meet_a_rule_are_one_finding():
    counting = rule(threshold=3, each="user")
    early = [failed(at, user="early") for at in range(3)]
    late = [failed(100 + at, user="late") for at in range(5)]

    [finding] = find(late + early, [counting])

    assert finding.count == 5
    assert (finding.first_seen_us, finding.last_seen_us) == (early[0].at_us, late[-1].at_us)
    assert finding.evidence == tuple(early)


def test_what_a_rule_counts_must_be_known_to_count():
    counting = rule(threshold=2, distinct="account")
    nameless = [failed(at) for at in range(5)]
    named = [failed(10 + at, account=f"k{at}") for at in range(2)]

    assert find(nameless, [counting]) == []
    assert find(nameless + named, [counting])[0].count == 2


def test_evidence_is_the_first_offences_and_never_too_many():
    events = [failed(at) for at in range(40)]

    [early], [late] = find(events, [rule(threshold=3)]), find(events, [rule(threshold=30)])

    assert early.evidence == late.evidence == tuple(events[:EVIDENCE_ROWS])


def test_a_rule_that_one_request_meets_shows_those_that_followed():
    events = [asked(f"/{at}", at_s=at, symptoms="exploit:jndi") for at in range(3)]

    [finding] = find(events, [rule(symptom="exploit", threshold=1)])

    assert finding.evidence == tuple(events)


def test_events_of_the_same_microsecond_are_all_counted():
    events = [failed(0, number=number) for number in range(3)]

    assert find(events, [rule(threshold=3)])[0].count == 3


def test_a_redelivered_event_counts_once():
    assert find([failed(0), failed(0), failed(0), failed(1)], [rule(threshold=3)]) == []


def test_two_copies_of_an_event_that_differ_are_one_whichever_came_first():
    copies = [failed(0, path="/b"), failed(0, path="/a"), failed(1), failed(2)]

    assert find(copies, [rule(threshold=3)]) == find(copies[::-1], [rule(threshold=3)])
    assert find(copies, [rule(threshold=4)]) == []


EVENTS = st.lists(
    st.builds(
        lambda at_s, number, path, network, agent: seen(
            asked(path, at_s=at_s, number=number, network=network, user_agent=agent)
        )[0],
        at_s=st.integers(0, 3 * HOUR_S).map(lambda second: second // 40 * 2),
        number=st.integers(0, 3),
        path=st.sampled_from(
            ["/a", "/b/c", "/b/d", "/.env", "/x/..;/y", "/wp-login.php", "/pma/", "/e1", "/e2", "/f/"]
        ),
        network=st.sampled_from(["203.0.113.9", "2001:db8::/64"]),
        agent=st.sampled_from(["", "sqlmap", "curl/8"]),
    ),
    max_size=60,
    unique_by=lambda event: (event.network, event.at_us, event.request_id),
)
TIGHT = [rule(symptom="missing-path", threshold=3, window_s=20, distinct="path"), *RULES]


@given(EVENTS, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(events: list, chance: random.Random):
    expected = find(events, TIGHT)
    shuffled = events + chance.choices(events, k=len(events)) if events else []
    chance.shuffle(shuffled)

    assert find(shuffled, TIGHT) == expected


@given(EVENTS, st.integers(1, 7))
def test_batches_come_to_the_same_findings_as_the_whole(events: list, size: int):
    """Live, each batch reads back what is stored from `read_from_us` on; the last word on each hour is the same."""
    told = {}
    stored: list = []
    for start in range(0, len(events), size):
        batch = events[start : start + size]
        stored += batch
        first = min(event.at_us for event in batch)
        read = [event for event in stored if event.at_us >= read_from_us(first, TIGHT)]
        for finding in find(read, TIGHT, since_us=first):
            told[finding.network, finding.rule, finding.hour_us] = finding

    whole = find(events, TIGHT)

    assert sorted(told.values(), key=repr) == sorted(whole, key=repr)


def slowly(events, one: Rule) -> set:
    """The definition, written down without cleverness: (network, hour, count) of the windows that meet the rule."""
    matching = {(e.network, e.at_us, e.request_id) for e in events if one.symptom in e.symptoms.split()}
    best: dict = {}
    for network, at_us, _ in matching:
        window = [m for m in matching if m[0] == network and at_us - one.window_s * US < m[1] <= at_us]
        if len(window) >= one.threshold:
            key = network, at_us - at_us % HOUR_US
            best[key] = max(best.get(key, 0), len(window))
    return {(network, hour, count) for (network, hour), count in best.items()}


@given(EVENTS, st.integers(1, 5), st.sampled_from([2, 20, 300]))
def test_findings_are_those_of_the_plain_definition(events: list, threshold: int, window_s: int):
    one = rule(symptom="missing-path", threshold=threshold, window_s=window_s)

    found = {(finding.network, finding.hour_us, finding.count) for finding in find(events, [one])}

    assert found == slowly(events, one)


def test_only_the_first_events_of_an_hour_are_looked_at():
    events = [failed(at / 10) for at in range(30)]

    kept = list(earliest(reversed(events), most=20))

    assert kept == events[:20]


def test_each_network_and_hour_has_its_own_cap():
    events = [failed(0), failed(1), failed(HOUR_S), failed(0, network="198.51.100.1")]

    assert len(list(earliest(events, most=1))) == 3


def test_repeating_one_missing_path_hides_nothing():
    """Else an attacker would ask for the same missing page first and be unseen for the rest of the hour."""
    noise = [missing("/same", at / 100) for at in range(50)]
    refused = [asked("/same", at_s=1 + at / 100, symptoms="refused-by-policy") for at in range(50)]
    attack = [failed(10 + at) for at in range(5)]

    kept = list(earliest(noise + refused + attack, most=20))

    assert kept == noise[:20] + refused[:20] + attack


def test_whoever_fills_a_cap_has_a_case_by_then():
    """Of what an hour's cap holds, one symptom has its share, and one window of the hour its share of that.

    Not so of what harmless clients repeat without end (a missing path, an old browser, buying): who fills that cap
    hides nothing but more of the same.
    """
    endless = {MISSING_PATH, LOGIN_TRY, RANDOM_QUERY, DATED_AGENT, CART_ADD, PAID, PAGE, UNLED_PAGE}
    together = {one.symptom for one in RULES} - COUNTED_APART.keys() - {PAGE, UNLED_PAGE}
    alone = {one.symptom for one in RULES} - together - endless

    for symptom in together | alone:
        share = READ_BACK / len(together) if symptom in together else READ_BACK
        rules = [one for one in RULES if one.symptom == symptom and not one.distinct]
        assert any(one.threshold <= share * one.window_s / HOUR_S for one in rules), symptom


def test_the_widest_window_says_how_far_to_read_back():
    assert widest_window_us([rule(window_s=60), rule(window_s=600)]) == 600 * US
    assert widest_window_us([]) == 0


def test_rows_are_read_back_by_whole_hours():
    assert read_from_us(NOON_US + 5, [rule(window_s=60)]) == NOON_US - HOUR_US
