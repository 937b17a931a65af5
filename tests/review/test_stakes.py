"""What the case page says of whom a network touches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from ip_tracking import cases
from ip_tracking.event import to_us
from ip_tracking.models import SuspiciousIP
from ip_tracking.review import stakes
from ip_tracking.review.stakes import Impact, Stakes, impact_of, stakes_of
from tests.review.conftest import file
from tests.traffic import ATTACKER, NOON, event, failed_login, finding, good_login, stored

pytestmark = pytest.mark.django_db

NOW = NOON + timedelta(hours=1)


def paid(user: str = "", **fields: object) -> object:
    return event(NOON, kind="payment", outcome="payment_ok", user=user, **fields)


def test_accounts_users_and_good_payments_are_counted_once_each() -> None:
    stored(
        *[failed_login(NOON, account=account) for account in ("ada", "ada", "eve", "")],
        good_login(NOON, account="ada"),
        *[event(NOON, user=user) for user in ("7", "7", "8", "")],
        paid("7"),
        paid("7"),
        event(NOON, kind="payment", outcome="payment_failed"),
        *[failed_login(NOON, "198.51.100.4", account="bob"), paid("9")._replace(network="198.51.100.4")],
    )

    assert stakes_of(file(finding()), NOW) == Stakes(2, 1, users=2, payments=2, at_least=False)


def test_accounts_are_of_seven_days_and_the_impact_is_of_one() -> None:
    days = [timedelta(days=number) for number in (2, 8)]
    stored(*[failed_login(NOW - age, account=f"{age}") for age in days], *[paid("7")._replace(at_us=1)])
    stored(*[event(NOW - age, user="7", outcome="payment_ok") for age in days])

    assert stakes_of(file(finding()), NOW) == Stakes(1, 0, users=0, payments=0, at_least=False)


def test_of_the_loudest_only_the_latest_are_counted_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stakes, "MOST_ROWS", 3)
    stored(paid("1")._replace(at_us=to_us(NOON) - 1), *[event(NOON, user=str(number)) for number in range(3)])

    found = stakes_of(file(finding()), NOW)

    assert found is not None
    assert (found.users, found.payments, found.at_least) == (3, 0, True)


def test_the_impact_of_many_is_counted_for_each_and_not_where_there_is_too_much(
    monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    monkeypatch.setattr(stakes, "MOST_ROWS", 8)
    monkeypatch.setattr(stakes, "LEAST_ROWS", 2)
    quiet, loud, silent = (file(finding(network=f"198.51.100.{number}")) for number in range(3))
    filed = from_a_file()
    stored(
        *[paid("7")._replace(network=quiet.network) for _ in range(2)],
        *[paid(str(number))._replace(network=loud.network) for number in range(3)],
        paid("9")._replace(network=quiet.network, at_us=to_us(NOW - timedelta(hours=25))),
    )

    with django_assert_max_num_queries(2):
        found = impact_of([quiet, loud, silent, filed], NOW)

    assert found == {
        quiet.network: Impact(users=1, payments=2),
        loud.network: Impact(too_many=True),
        silent.network: Impact(),
    }


def from_a_file() -> SuspiciousIP:
    cases.file([finding()], source="access.log", now=NOON)
    return SuspiciousIP.objects.get(network=ATTACKER)


def test_of_a_case_from_a_log_file_nothing_is_known() -> None:
    assert stakes_of(from_a_file(), NOW) is None


def test_unless_it_called_here_too() -> None:
    stored(event(NOON, user="7"))

    found = stakes_of(from_a_file(), NOW)

    assert found is not None
    assert found.users == 1


@pytest.mark.parametrize(
    ("is_live", "told"),
    [
        (True, "failed to log in to <strong>1</strong> account\n"),
        (False, "Unknown: it came from a log file (access.log), and the request log holds nothing of it."),
    ],
)
def test_the_page_tells_it(analyst: Client, is_live: bool, told: str) -> None:
    if is_live:
        recent = file(finding()).created_at
        stored(failed_login(recent, ATTACKER))
    case = SuspiciousIP.objects.get() if is_live else from_a_file()

    page = analyst.get(f"/admin/ip_tracking/suspiciousip/{case.pk}/change/").content.decode()

    assert told in page
