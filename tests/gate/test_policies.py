"""The table of limits: read, checked, and what it covers."""

from __future__ import annotations

import pytest

from ip_tracking.conf import BadSetting
from ip_tracking.gate.policies import SHIPPED, Rate, parse_policy, parse_rate, table

ROW = {"rates": ["5/m"], "why": "for a test"}


@pytest.mark.parametrize(
    ("text", "rate"),
    [("100/m", Rate(100, 60)), ("10/30s", Rate(10, 30)), ("1000/h", Rate(1000, 3600)), ("5/2d", Rate(5, 172_800))],
)
def test_a_rate_is_a_number_per_time(text, rate):
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "m", "0/m", "5/0s", "-1/m", "5/minute", "5 / m", "5/m ", "1e3/m", "\u0665/m", None, 5]
)
def test_any_other_rate_is_refused_with_what_to_write(text):
    with pytest.raises(BadSetting, match='write "100/m"'):
        parse_rate(text)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rates": "5/m"}, "write a list"),
        ({"rates": []}, "write a list"),
        ({"rates": ["5/x"]}, "'5/x'"),
        ({"rates": ["5/m", "6/60s"]}, "same window"),
        ({"why": ""}, "does not say why"),
        ({"mode": "on"}, "write one of enforce, shadow, off"),
        ({"key": "ip"}, "write one of network, caller, user, account, device"),
        ({"counts": "bad"}, "write one of all, failures"),
        ({"store_away": "maybe"}, "write one of open, degraded, closed"),
        ({"kinds": "login"}, "write a list of names"),
        ({"key": "account"}, "only a login names"),
        ({"cost": 0}, "from 1 to its smallest limit, 5"),
        ({"cost": 6}, "from 1 to its smallest limit, 5"),
        ({"limit": 5}, "has no field 'limit'"),
    ],
)
def test_a_bad_row_says_which_and_what_to_write(change, says):
    with pytest.raises(BadSetting, match=says) as caught:
        parse_policy("mine", ROW | change)

    assert "'mine'" in str(caught.value)


def test_a_row_that_is_no_row_is_refused():
    with pytest.raises(BadSetting, match="write a dictionary"):
        parse_policy("mine", 5)


def test_a_name_that_would_break_the_fields_is_refused():
    with pytest.raises(BadSetting, match="lower-case"):
        parse_policy('mine";q=1', ROW)


def test_the_shipped_table_is_valid_and_says_why():
    assert [policy.name for policy in table()] == list(SHIPPED)
    assert all(policy.why for policy in table())


def test_a_project_changes_one_row_and_drops_another(tracking):
    tracking(POLICIES={"site": ROW, "payment": None, "own": ROW | {"mode": "off"}})

    rows = {policy.name: policy for policy in table()}

    assert rows["site"].rates == (Rate(5, 60),)
    assert "payment" not in rows
    assert "own" not in rows


def test_a_policy_covers_by_kind_route_and_method():
    policy = parse_policy("mine", ROW | {"kinds": ["payment"], "routes": ["shop:coupon"], "methods": ["POST"]})

    assert policy.covers("shop:checkout", "payment", "POST")
    assert policy.covers("shop:coupon", "", "POST")
    assert not policy.covers("shop:checkout", "payment", "GET")
    assert not policy.covers("shop:product-list", "catalogue", "POST")
    assert parse_policy("all", ROW | {"routes": ["*"]}).covers("", "", "GET")
    assert not parse_policy("by-mark", ROW).covers("shop:checkout", "payment", "POST")


def test_a_mark_on_the_view_counts_for_the_policys_methods_alone():
    policy = parse_policy("by-mark", ROW | {"methods": ["POST"]})

    assert policy.covers("export", "", "POST", frozenset({"by-mark"}))
    assert not policy.covers("export", "", "GET", frozenset({"by-mark"}))


def test_a_row_changes_only_the_fields_it_names(tracking):
    tracking(POLICIES={"login": {"rates": ["3/m"]}})

    login = next(policy for policy in table() if policy.name == "login")

    assert (login.rates, login.key, login.counts) == ((Rate(3, 60),), "network", "failures")
