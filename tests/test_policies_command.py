"""`manage.py policies`: the table of limits at work, and what is missing in it."""

from __future__ import annotations

import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from ip_tracking.models import PolicyHour
from ip_tracking.record import buffer
from ip_tracking.record.storage import store
from tests.traffic import event

pytestmark = pytest.mark.django_db


def run(*args, exits=0):
    out = io.StringIO()
    if not exits:
        call_command("policies", *args, stdout=out)
        return out.getvalue()
    with pytest.raises(SystemExit) as stop:
        call_command("policies", *args, stdout=out)
    assert stop.value.code == exits
    return out.getvalue()


def report(*args, exits=0):
    found = json.loads(run("--format", "json", *args, exits=exits))
    return found, {policy["name"]: policy for policy in found["policies"]}


def log(*events):
    store(str(uuid4()), list(events), lambda _: "", datetime.now(UTC))


def test_each_policy_says_what_it_covers_and_what_it_did():
    now = datetime.now(UTC)
    log(
        event(now, policies="site login", refused="login", network="198.51.100.1"),
        event(now, policies="site login", refused="login", network="198.51.100.2"),
        event(now, policies="site", shadowed="site", user="7"),
    )

    found, policies = report()

    assert (found["dead"], found["unguarded"]) == ([], [])
    assert policies["site"]["covers"] == ["*"]
    assert policies["payment"]["covers"] == ["shop:checkout", "shop:order-pay"]
    assert policies["login"]["covers"] == [
        "shop:login",
        "shop:password-change",
        "shop:email-change",
        "shop:account-close",
        "admin:login",
        "authenticate()",
    ]
    assert policies["coupon"]["covers"] == ["shop:coupon"]
    assert policies["login"]["rates"] == ["10/m"]
    assert (policies["site"]["evaluated"], policies["login"]["evaluated"], policies["payment"]["evaluated"]) == (
        3,
        2,
        0,
    )
    assert policies["login"]["refused"] == {"requests": 2, "networks": 2, "users": 0}
    assert policies["site"]["would_refuse"] == {"requests": 1, "networks": 1, "users": 1}
    assert policies["site"]["last_evaluated"] is not None


def test_the_period_can_be_chosen():
    log(event(datetime.now(UTC) - timedelta(days=3), policies="site"))

    counts = [report("--days", days)[1]["site"]["evaluated"] for days in ("2", "4")]

    assert counts == [0, 1]


def test_a_gap_is_named_and_the_exit_status_is_1(tracking):
    tracking(
        POLICIES={
            "payment-declines": None,
            "payment": None,
            "buy": {"rates": ["9/m"], "routes": ["shop:buy"], "why": "x"},
        }
    )

    found, _ = report(exits=1)
    told = run(exits=1)

    assert [dead["policy"] for dead in found["dead"]] == ["buy"]
    assert [gap["route"] for gap in found["unguarded"]] == ["shop:checkout", "shop:order-pay"]
    assert "DEAD: buy: It names 'shop:buy', which the URLconf does not have." in told
    assert "UNGUARDED: shop:checkout: " in told


def test_a_policy_that_is_not_asked_any_more_is_dead_too():
    PolicyHour.objects.add(Counter({("payment", datetime.now(UTC) - timedelta(days=30)): 1}))

    found, _ = report(exits=1)

    assert found["dead"] == [{"policy": "payment", "why": "It was not asked once in 14 days."}]


def test_a_person_reads_a_table():
    log(event(datetime.now(UTC), policies="site", refused="site"))

    site = next(line for line in run().splitlines() if line.startswith("site "))

    assert site.split() == ["site", "enforce", "1200/m", "caller", "1", "1", "(1,", "0)", "-", "everything"]


def test_a_senseless_period_and_a_bad_table_are_refused_with_why(tracking):
    with pytest.raises(CommandError, match="at least one day"):
        run("--days", "0")
    tracking(POLICIES={"site": {"rates": ["fast"]}})
    with pytest.raises(CommandError, match="'fast'"):
        run()


def test_what_the_door_writes_is_what_the_command_reads(tracking):
    """A policy in shadow passes everybody, and says afterwards whom it would have refused."""
    tracking(POLICIES={"tight": {"rates": ["1/m"], "routes": ["*"], "mode": "shadow", "why": "a test"}})
    statuses = [Client().get("/api/v1/categories/").status_code for _ in range(3)]
    log(*buffer.take())

    _, policies = report()

    assert statuses == [200, 200, 200]
    assert policies["tight"]["evaluated"] == 3
    assert policies["tight"]["would_refuse"] == {"requests": 2, "networks": 1, "users": 0}
