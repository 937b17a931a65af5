"""Each rule finds what it is there for at the very request that crosses, and nobody who only comes close."""

from __future__ import annotations

import random

import pytest

from ip_tracking.detection.bursts import find
from ip_tracking.detection.rules import RULES
from tests.simulators.attacks import STORIES, below, until_crossing
from tests.simulators.harmless import HARMLESS
from tests.simulators.request import events, looked_at

SEEDS = range(3)
RULE_OF = {rule.name: rule for rule in RULES}


def found(requests) -> dict[str, object]:
    seen = looked_at(events(requests), [request.referer for request in requests])
    return {finding.rule: finding for finding in find(seen, RULES)}


def test_every_rule_has_its_story():
    assert STORIES.keys() == RULE_OF.keys()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rule", STORIES)
def test_the_crossing_request_is_what_makes_the_finding(rule: str, seed: int):
    requests = until_crossing(rule, seed)

    before, after = found(requests[:-1]), found(requests)

    assert rule not in before
    assert after[rule].count == RULE_OF[rule].threshold
    assert after[rule].last_seen_us == events(requests)[-1].at_us


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rule", STORIES)
def test_who_stops_at_four_fifths_is_found_by_no_rule(rule: str, seed: int):
    assert found(below(rule, seed)) == {}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_clients_are_found_by_no_rule(name: str, seed: int):
    requests = list(HARMLESS[name](random.Random(seed)))

    assert found(requests) == {}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_can_be_sent_to_a_server(name: str):
    for request in until_crossing(name):
        assert request.target.startswith("/") or not request.method
        assert request.method in {"GET", "POST", ""}
        assert set(request.headers) <= {"User-Agent"}
