"""Stored rows looked at again: because the rules changed, or because there is a case now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from ip_tracking import cases, second_look, sweep, tasks
from ip_tracking.detection.finding import Severity
from ip_tracking.detection.pages import UNLED_PAGE
from ip_tracking.detection.rules import RULES
from ip_tracking.detection.table import EVERY_RULE, fingerprint
from ip_tracking.event import to_us
from ip_tracking.models import CaseFinding, Decision, SuspiciousIP, SweepMark
from tests.simulators.attacks import until_crossing
from tests.simulators.request import events
from tests.traffic import ATTACKER, NOON, batch, event, failed_login, finding, guessing, stored

pytestmark = pytest.mark.django_db

Configure = Callable[..., object]

EVENING = NOON + timedelta(hours=8, minutes=5)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def found() -> set[tuple[str, str, datetime]]:
    return set(CaseFinding.objects.values_list("case__network", "rule", "hour"))


def sweep_until_done(rules: str = "another table", now: datetime = EVENING) -> list[int]:
    return [second_look.at_changed_rules(now + hours(number), rules) for number in range(6)]


# Rules that changed


def test_stored_hours_are_judged_by_rules_that_came_later() -> None:
    """These rows were stored by workers that knew no rule for them."""
    stored(*guessing(NOON))
    stored(*guessing(NOON + hours(5), "198.51.100.4"))

    second_look.at_changed_rules(EVENING, "another table")
    sweep_until_done()

    assert found() == {
        (ATTACKER, "login-brute-force", NOON),
        (ATTACKER, "login-hammering", NOON),
        ("198.51.100.4", "login-brute-force", NOON + hours(5)),
        ("198.51.100.4", "login-hammering", NOON + hours(5)),
    }


def test_rules_of_the_sweep_judge_them_too() -> None:
    stored(*[failed_login(NOON + timedelta(minutes=n), f"10.0.{n}.7") for n in range(12)])
    SweepMark.objects.create(name=sweep.MARK, through=EVENING)  # they were swept

    sweep_until_done()

    assert {rule for _, rule, _ in found()} == {"distributed-login", "shared-agent-guessing"}


def test_what_our_limits_refused_is_judged_again_too() -> None:
    stored(*[event(NOON + timedelta(seconds=n), refused="site", status=429) for n in range(300)])

    sweep_until_done()

    assert found() == {(ATTACKER, "keeps-hammering", NOON)}


def test_a_day_is_judged_in_pieces_and_once() -> None:
    stored(*guessing(EVENING - hours(24)))
    stored(*guessing(EVENING - hours(1), "198.51.100.4"))
    stored(*guessing(EVENING - hours(26), "198.51.100.5"))
    stored(*guessing(EVENING + hours(2), "198.51.100.6"))  # judged by the new rules as it came

    changed = sweep_until_done()

    assert changed == [1, 0, 0, 1, 0, 0]
    assert {network for network, _, _ in found()} == {ATTACKER, "198.51.100.4"}
    SuspiciousIP.objects.all().delete()
    assert sum(sweep_until_done(now=EVENING + hours(6))) == 0


def test_rules_that_change_meanwhile_begin_anew() -> None:
    stored(*guessing(NOON))
    sweep_until_done("first")
    SuspiciousIP.objects.all().delete()

    sweep_until_done("second")

    assert {network for network, _, _ in found()} == {ATTACKER}
    assert SweepMark.objects.filter(name__startswith="rules-").get().name == "rules-second"


def test_nobody_is_refused_today_for_what_a_rule_of_today_says_of_yesterday(tracking: Configure) -> None:
    tracking(ENFORCE="block")
    stored(*guessing(NOON))

    sweep_until_done()

    assert SuspiciousIP.objects.get().severity == "high"
    assert not Decision.objects.exists()


def test_what_live_workers_found_is_found_again_unchanged() -> None:
    tasks.store_events(*batch(*guessing(NOON)))
    before = list(CaseFinding.objects.values()) + list(SuspiciousIP.objects.values())

    assert sum(sweep_until_done()) == 0
    assert list(CaseFinding.objects.values()) + list(SuspiciousIP.objects.values()) == before


def burst_facts() -> set[Any]:
    rows = CaseFinding.objects.filter(rule__in={rule.name for rule in RULES})
    return set(rows.values_list("rule", "hour", "count", "first_seen", "last_seen"))


# The log keeps no referer, so that nothing shows an unled page live.
@pytest.mark.parametrize("rule", [rule.name for rule in RULES if rule.symptom != UNLED_PAGE])
def test_each_rule_finds_the_same_in_stored_rows_as_it_found_live(rule: str) -> None:
    tasks.store_events(*batch(*events(until_crossing(rule), start_us=to_us(NOON - timedelta(seconds=5)))))
    live = burst_facts()
    SuspiciousIP.objects.all().delete()

    sweep_until_done()

    assert rule in {fact[0] for fact in live}
    assert burst_facts() == live


def test_a_sweep_looks_again_by_itself() -> None:
    stored(*guessing(NOON))

    sweep.run(EVENING)

    assert SweepMark.objects.filter(name=f"rules-{fingerprint()}").exists()
    assert SweepMark.objects.get(name=second_look.PROGRESS).through == NOON - hours(10)


def test_a_table_is_another_when_it_would_find_something_else() -> None:
    first, *others = EVERY_RULE
    changed: list[dict[str, Any]] = [
        {"threshold": 11},
        {"window_s": 301},
        {"severity": Severity.LOW},
        {"version": 2},
        {"also": {"networks": 3}},
    ]

    tables = [EVERY_RULE, others, *[(replace(first, **fields), *others) for fields in changed]]

    assert len({fingerprint(table) for table in tables}) == 7
    assert fingerprint([*others, replace(first, reason="Said better.")]) == fingerprint()


# A newer version of a rule


def version(number: int, **fields: Any) -> Any:
    return finding(rule_version=number, **fields)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_version_of_a_rule_has_the_row_whichever_worker_was_last(order: tuple[int, ...]) -> None:
    versions = [version(1, count=90), version(2, count=12, threshold=12, severity=Severity.MEDIUM), version(1, count=5)]

    for place in order:
        cases.file([versions[place]], now=EVENING)

    row = CaseFinding.objects.get()
    assert (row.rule_version, row.count, row.threshold, row.severity, row.weight) == (2, 12, 12, "medium", 20)


# Low findings before the case

LOW = [replace(rule, severity=Severity.LOW) for rule in RULES if rule.name == "probing"]


def probing(at: datetime) -> list[Any]:
    return [event(at + timedelta(seconds=n), path=f"/{chr(97 + n)}x/", route="", status=404) for n in range(12)]


def test_what_was_too_little_for_a_case_is_told_once_there_is_one() -> None:
    stored(*probing(NOON - hours(30)))
    cases.file([finding()], now=NOON)

    second_look.at_new_cases(None, NOON + hours(1), LOW)

    assert found() == {(ATTACKER, "login-brute-force", NOON), (ATTACKER, "probing", NOON - hours(30))}
    assert CaseFinding.objects.get(rule="probing").severity == "low"
    assert second_look.at_new_cases(None, NOON + hours(1), LOW) == 0


def test_what_is_older_than_the_score_counts_is_left() -> None:
    stored(*probing(NOON - timedelta(days=8)))
    cases.file([finding()], now=NOON)

    assert second_look.at_new_cases(None, NOON, LOW) == 0


def test_only_cases_that_are_new_are_looked_at() -> None:
    stored(*probing(NOON))
    cases.file([finding()], now=NOON)
    opened = SuspiciousIP.objects.get().created_at

    assert second_look.at_new_cases(opened + hours(1), NOON + hours(1), LOW) == 0
    assert second_look.at_new_cases(opened, NOON + hours(1), LOW) == 1


def monitor(at: datetime) -> list[Any]:
    return [event(at + timedelta(minutes=n)) for n in range(130)]


@pytest.mark.parametrize("case_first", [True, False])
def test_a_steady_rhythm_is_told_whether_the_case_came_before_or_after(case_first: bool) -> None:
    offence, steady = guessing(NOON + hours(3)), monitor(NOON - hours(3))

    for number, sent in enumerate([offence, steady] if case_first else [steady, offence]):
        tasks.store_events(*batch(*sent))
        sweep.run(EVENING + hours(number))

    assert CaseFinding.objects.get(rule="steady-requests").hour == NOON - hours(1)


def test_a_new_case_tells_of_the_rhythm_that_its_network_had() -> None:
    stored(*monitor(NOON - hours(3)), *monitor(NOON - timedelta(days=8)))
    cases.file([finding()], now=NOON)

    assert second_look.at_new_cases(None, NOON + hours(1), []) == 1

    assert [row.hour for row in CaseFinding.objects.filter(rule="steady-requests")] == [NOON - hours(1)]


def test_who_is_only_steady_has_no_case() -> None:
    stored(*monitor(NOON - hours(3)))

    assert sweep.run(EVENING) == 0
    assert not SuspiciousIP.objects.exists()
