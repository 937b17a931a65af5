"""How limits are told: each once, the old fields as the new ones, and nobody else's."""

from __future__ import annotations

import http_sf
import pytest

from ip_tracking.event import US
from ip_tracking.gate.fields import fields_of, standings
from ip_tracking.gate.plan import limit_of
from ip_tracking.gate.verdict import Quota
from tests.gate.conftest import policy


def quota(rate="10/m", *, used=0, wait_s=0, leave_s=0, name="test", counter="k", **row) -> Quota:
    made = policy(rate, name=name, **row)
    return Quota(limit_of(made, made.rates[0]), counter, used, wait_s * US, leave_s * US, 0)


def told(*quotas: Quota, returned: frozenset[str] = frozenset(), with_remainders: bool = True) -> dict[str, str]:
    return fields_of(standings(quotas, returned), with_remainders=with_remainders)


def parsed(value: str):
    """As an independent structured-field library reads it."""
    return http_sf.parse(value.encode(), tltype="list")


def test_each_limit_is_told_with_its_quota_window_remainder_and_effective_window():
    fields = told(quota(used=3, leave_s=41, name="login"), quota("1200/m", used=1, leave_s=60, name="site"))

    assert parsed(fields["RateLimit-Policy"]) == [("login", {"q": 10, "w": 60}), ("site", {"q": 1200, "w": 64})]
    assert parsed(fields["RateLimit"]) == [("login", {"r": 7, "t": 41}), ("site", {"r": 1199, "t": 60})]


@pytest.mark.parametrize("used", [(4, 6), (6, 4)])
def test_a_limit_that_was_asked_twice_is_told_once_as_it_stands_worse(used):
    first, second = (quota(used=number, leave_s=30, name="login") for number in used)

    fields = told(first, quota(used=1, leave_s=50, name="site"), second)

    assert parsed(fields["RateLimit-Policy"]) == [("login", {"q": 10, "w": 60}), ("site", {"q": 10, "w": 60})]
    assert parsed(fields["RateLimit"]) == [("login", {"r": 4, "t": 30}), ("site", {"r": 9, "t": 50})]


def test_of_two_equal_remainders_the_longer_one_is_told():
    fields = told(quota(used=10, wait_s=5), quota(used=10, wait_s=9))

    assert parsed(fields["RateLimit"]) == [("test", {"r": 0, "t": 9})]


@pytest.mark.parametrize("row", [{"key": "account", "kinds": ["login"]}, {"key": "url:sku"}, {"mode": "shadow"}])
def test_what_may_be_somebody_elses_or_is_only_tried_out_is_not_told(row):
    assert told(quota(**row)) == {}


def test_without_remainders_only_what_holds_for_everybody_is_told(tracking):
    tracking(LEGACY_FIELDS=True)

    assert list(told(quota(), with_remainders=False)) == ["RateLimit-Policy"]


def test_the_old_fields_are_silent_unless_asked_for():
    assert list(told(quota())) == ["RateLimit-Policy", "RateLimit"]


def old(*quotas: Quota, **options) -> tuple[str, ...]:
    fields = told(*quotas, **options)
    return tuple(fields[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset"))


def test_the_old_fields_tell_the_limit_nearest_to_its_end(tracking):
    tracking(LEGACY_FIELDS=True)

    assert old(quota(used=1, leave_s=60), quota("20/h", used=18, leave_s=600, name="hourly")) == ("20", "2", "600")


def test_on_a_refusal_the_old_fields_tell_the_refusing_limit_that_lasts_longest(tracking):
    tracking(LEGACY_FIELDS=True)
    costly = quota(used=8, wait_s=90, name="costly", cost=5)

    assert old(quota(used=10, wait_s=5), costly, quota("1/s", used=1, leave_s=1, name="burst")) == ("10", "0", "90")


def test_the_old_fields_know_what_was_given_back(tracking):
    tracking(LEGACY_FIELDS=True)

    taken = quota(used=3, leave_s=60, counter="mine")._replace(slot=1)

    assert old(taken, returned=frozenset({"mine"})) == ("10", "8", "60")
