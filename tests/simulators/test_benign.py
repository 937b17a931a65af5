"""Nobody who means well is flagged or refused: a simulated day through the live rules and the shipped limits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from ip_tracking.detection import bursts
from ip_tracking.detection.finding import Rule
from ip_tracking.detection.hourly import DISTRIBUTED_LOGIN
from ip_tracking.detection.pages import PAGE, as_page, is_page
from ip_tracking.detection.rules import RULES
from ip_tracking.detection.symptoms import symptoms_of
from ip_tracking.gate.policies import SHIPPED
from tests.simulators.benign import CUSTOMERS_OF_NAT, NATS, REQUESTS, SHOPPERS, Asked, day
from tests.simulators.living_gate import refusals

SEEDS = range(4)


def flagged(asked: list[Asked], rules: Sequence[Rule] = RULES) -> list[tuple[str, str, int]]:
    """All that the rules find in the day, by network, rule and count."""
    events = [event._replace(symptoms=symptoms_of(event)) for event, _ in asked]
    of_symptoms = bursts.find(bursts.earliest(event for event in events if event.symptoms), rules)
    of_pages = bursts.find(map(as_page, filter(is_page, events)), [rule for rule in rules if rule.symptom == PAGE])
    return [(finding.network, finding.rule, finding.count) for finding in of_symptoms + of_pages]


def widely_failing(asked: list[Asked]) -> list[str]:
    """The accounts that the hourly sweep would ask about: so many networks failed on them within an hour."""
    networks: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for event, _ in asked:
        if event.outcome == "login_failed":
            networks[event.account, event.hour_us].add(event.network)
    return [account for (account, _), failed in networks.items() if len(failed) >= DISTRIBUTED_LOGIN.threshold]


def refused(asked: list[Asked]) -> Counter[tuple[str, str]]:
    verdicts = zip(asked, refusals(asked), strict=True)
    return Counter((policy, one.event.network) for one, policy in verdicts if policy)


def test_a_tenth_of_a_day_flags_nobody_and_refuses_nobody():
    asked = day(seed=9, size=0.1)

    assert flagged(asked) == []
    assert widely_failing(asked) == []
    assert refused(asked) == Counter()


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_whole_day_flags_nobody_and_refuses_nobody(seed):
    asked = day(seed)

    assert len(asked) >= REQUESTS
    assert flagged(asked) == []
    assert widely_failing(asked) == []
    assert refused(asked) == Counter()


def test_the_day_is_in_order_and_the_same_for_the_same_seed():
    first, again, other = day(1, 0.02), day(1, 0.02), day(2, 0.02)

    assert first == again != other
    assert all(earlier.event.at_us <= later.event.at_us for earlier, later in pairwise(first))


@pytest.mark.slow
def test_the_day_holds_all_that_harmless_clients_do():
    """Else its silence would prove nothing: who comes, and what of it looks bad at first sight."""
    asked = day(seed=0)

    networks = {one.event.network for one in asked}
    outcomes = Counter(one.event.outcome for one in asked)
    shown = Counter(symptoms_of(one.event) for one in asked)
    statuses = Counter(one.event.status for one in asked)
    assert len(networks) >= SHOPPERS + NATS
    assert len({one.event.user for one in asked if one.event.user.startswith("u-office")}) > NATS * CUSTOMERS_OF_NAT / 3
    assert min(outcomes[bad] for bad in ("login_failed", "payment_declined", "coupon_failed")) >= 10
    assert shown["failed-login"] >= 100
    assert shown["missing-path"] >= 5_000
    assert sum("sensitive-file" in symptoms for symptoms in shown) == 1
    assert statuses[502] >= 100


def test_tighter_rules_would_flag_some_of_them():
    tight = [replace(rule, threshold=max(1, rule.threshold // 5)) for rule in RULES]

    found = {rule for _, rule, _ in flagged(day(seed=9, size=0.1), tight)}

    assert {"login-brute-force", "login-hammering", "sensitive-files", "crawling"} <= found


def test_tighter_limits_would_refuse_some_of_them(tracking):
    tracking(POLICIES={name: {"rates": ["1/10m"]} for name in SHIPPED if name.startswith(("login", "coupon"))})

    assert {policy for policy, _ in refused(day(seed=9, size=0.1))} >= {"login"}
