"""W010 and W011: clients that cannot be told apart, seen in what came lately."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core import checks
from django.db import connection

from ip_tracking.event import Event
from ip_tracking.models import HeaderHour
from ip_tracking.record.storage import store
from tests.traffic import event

pytestmark = pytest.mark.django_db

Configure = Callable[..., object]

PUBLIC = "8.8.8.8"


def traffic(*shares: tuple[int, str], kind: str = "", beyond: int = 0, ago: timedelta = timedelta(hours=1)) -> None:
    """Stores so many requests of each address."""
    at = datetime.now(UTC) - ago
    sent: list[Event] = [
        event(at, network=address, address=address, kind=kind, beyond=beyond)
        for count, address in shares
        for _ in range(count)
    ]
    store(str(uuid4()), sent, lambda _: "", at)


def found() -> dict[str, checks.CheckMessage]:
    messages = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    return {str(one.id): one for one in messages if str(one.id).startswith("ip_tracking.")}


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("10.0.0.5", "It is a trusted proxy that names no client"),
        ("172.17.0.1", "It is a private address"),
        ("127.0.0.1", "It is a private address"),
        ("fe80::1", "It is a private address"),
        ("100.64.0.7", "It is a private address"),
        ("unknown", 'add "unix"'),
    ],
)
def test_w010_nearly_all_requests_come_from_what_is_hardly_a_client(
    tracking: Configure, address: str, hint: str
) -> None:
    tracking(TRUSTED_PROXIES=["10.0.0.0/8"])
    traffic((950, address), (50, PUBLIC))

    messages = found()

    assert list(messages) == ["ip_tracking.W010"]
    assert f"950 of the latest 1,000 requests came from {address}" in messages["ip_tracking.W010"].msg
    assert hint in str(messages["ip_tracking.W010"].hint)


def test_w010_a_public_address_that_is_a_proxy_is_told_too(tracking: Configure) -> None:
    tracking(TRUSTED_PROXIES=[PUBLIC])
    traffic((1_000, PUBLIC))

    assert "trusted proxy" in str(found()["ip_tracking.W010"].hint)


@pytest.mark.parametrize(
    "shares",
    [
        [(1_000, PUBLIC)],  # one customer's load test
        [(949, "172.17.0.1"), (51, PUBLIC)],
        [(999, "172.17.0.1")],
    ],
)
def test_what_may_be_right_is_no_warning(shares: list[tuple[int, str]]) -> None:
    traffic(*shares)

    assert found() == {}


def test_health_checks_and_days_gone_by_are_no_traffic() -> None:
    traffic((1_000, "172.17.0.1"), kind="health", beyond=1)
    traffic((1_000, "172.17.0.1"), ago=timedelta(days=2), beyond=1)

    assert found() == {}


def test_w011_nearly_all_headers_say_more_than_is_vouched_for() -> None:
    traffic((950, PUBLIC), beyond=1)
    traffic((25, "8.8.4.4"), (25, "1.1.1.1"))

    messages = found()

    assert list(messages) == ["ip_tracking.W011"]
    assert "Of 1,000 requests of the last day, 950 named" in messages["ip_tracking.W011"].msg
    assert "missing in TRUSTED_PROXIES" in str(messages["ip_tracking.W011"].hint)


@pytest.mark.parametrize(("beyond", "plain"), [(949, 51), (999, 0)])
def test_some_headers_that_lie_are_no_warning(beyond: int, plain: int) -> None:
    traffic((beyond, PUBLIC), beyond=3)
    traffic((plain, "8.8.4.4"), (1, "8.8.4.4")) if plain else None

    assert found() == {}


def test_without_a_database_named_nothing_is_asked() -> None:
    traffic((1_000, "172.17.0.1"), beyond=1)

    assert not [one for one in checks.run_checks() if one.id in {"ip_tracking.W010", "ip_tracking.W011"}]


@pytest.mark.skipif("not connection.features.can_rollback_ddl", reason="what is dropped here would not come back")
def test_before_the_first_migrate_there_is_nothing_to_ask() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {HeaderHour._meta.db_table}")

    assert found() == {}
