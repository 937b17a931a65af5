"""Schemathesis over the whole API as a customer, as staff and as nobody. CONTRIBUTING.md: how to read a failure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django import Settings

from ip_tracking.gate import decisions
from ip_tracking.models import Decision
from tests.fuzz.run import HERE, document, operations, run
from tests.fuzz.world import World

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("unlimited", "mails_are_written", "quiet", "alone"),
]

CUSTOMER, STAFF, NOBODY = World("customer"), World("staff", is_staff=True), World()

# What a customer is refused: 403, or 404 where not even that it is there is theirs to know.
OF_STAFF = re.compile(
    r"(POST|PUT|PATCH|DELETE) /api/v1/(categories|products)/"
    r"|\w+ /api/v1/(users|security|imports)/"
    r"|POST /api/v1/orders/\{number\}/(ship|refund)/"
)
# What staff is refused: another superuser closes their account.
NOT_OF_STAFF = {"POST /api/v1/me/close/"}


@pytest.mark.parametrize("visitor", [CUSTOMER, STAFF], ids=lambda visitor: visitor.name)
def test_whatever_is_sent_is_answered_as_the_document_says(visitor: World) -> None:
    """Nothing sent makes a 5xx or an answer that is not described, and each operation does what it is for."""
    visitor.build()
    schema = document()

    report = run(schema, visitor)

    print(report)  # noqa: T201 - shown with a failure, or by `-s`
    assert not report.errors
    assert not report.failures, report.told()
    everything = operations(schema)
    theirs = (
        everything - NOT_OF_STAFF if visitor is STAFF else {name for name in everything if not OF_STAFF.match(name)}
    )
    assert report.phases["stateful"] > 50  # links were followed
    assert report.reached == theirs


def test_nobody_is_answered_as_the_document_says() -> None:
    """Without a token, what says that it needs none does what it is for, and the rest is refused."""
    NOBODY.build()
    schema = document(phases=("examples", "fuzzing"), max_examples=15)

    report = run(schema, NOBODY)

    print(report)  # noqa: T201
    assert not report.errors
    assert not report.failures, report.told()
    assert report.reached == operations(schema, open_only=True)


def test_refusals_of_the_limits_are_as_the_document_says(tracking: Any, settings: Settings) -> None:
    """With the shipped limits on, a 429 has the shape and the fields that are promised."""
    tracking(MODE="enforce")
    settings.RATELIMIT_ENABLE = True
    CUSTOMER.build()

    report = run(document(phases=("fuzzing",), max_examples=25), CUSTOMER)

    print(report)  # noqa: T201
    assert not report.failures, report.told()
    refused = {name for name, statuses in report.statuses.items() if statuses[429]}
    assert {
        "POST /api/v1/auth/registration/",
        "POST /api/v1/auth/password-reset/",
        "POST /api/v1/cart/coupon/",
    } <= refused


def test_a_blocked_network_is_refused_as_the_document_says(tracking: Any) -> None:
    """Every operation tells that a network may be blocked."""
    tracking(MODE="enforce")
    now = datetime.now(UTC)
    decisions.decide(Decision.Kind.BLOCK, HERE, until=None, reason="for a test", actor="dana", by_person=True, now=now)

    schema = document(phases=("fuzzing",), max_examples=1)

    report = run(schema, CUSTOMER)

    print(report)  # noqa: T201
    assert not report.failures, report.told()
    assert set(report.statuses) == operations(schema)
    assert {status for statuses in report.statuses.values() for status in statuses} == {403}
