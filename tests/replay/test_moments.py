"""Dates as logs write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ip_tracking.event import US
from ip_tracking.replay.moments import moment_us

NOON_US = 1_760_011_200 * US  # 2025-10-09 12:00 UTC


@pytest.mark.parametrize(
    "written",
    [
        "09/Oct/2025:12:00:00 +0000",
        "09/Oct/2025:14:00:00 +02:00",
        "2025-10-09T12:00:00Z",
        "2025-10-09t12:00:00z",
        "2025-10-09T12:00:00",
        "2025-10-09 12:00:00",
        "2025-10-09T17:30:00+05:30",
        "2025-10-09T17:30:00+0530",
        "2025-10-09T04:00:00-08",
        "2025-10-09 14:00:00 +0200",
        "2025-10-09 12:00:00 Z",
        "20251009T120000Z",
        "2025-10-09T12:00:00.000000999Z",
        "2025-10-09T12:00:00,000+00:00",
        " 2025-10-09T12:00:00Z ",
        1_760_011_200,
        1_760_011_200.0,
        "1760011200",
        "1760011200.000",
        1_760_011_200_000,
        "1760011200000",
        1_760_011_200_000_000,
        1_760_011_200_000_000_000,
    ],
)
def test_one_moment_is_written_in_many_ways(written):
    assert moment_us(written) == NOON_US


@pytest.mark.parametrize(
    "written", [1_760_011_200.123, "1760011200.123", "2025-10-09T12:00:00.123Z", 1_760_011_200_123]
)
def test_parts_of_a_second_are_kept(written):
    assert moment_us(written) == NOON_US + 123_000


@pytest.mark.parametrize(
    "written",
    [
        "",
        "-",
        "nan",
        "inf",
        "1e400",
        "0",
        0,
        -1,
        "12:00:00",
        "2025-13-09T12:00:00Z",
        "9999-12-31T23:59:59Z",
        None,
        [],
        {},
    ]
    + [True, "1989-12-31T23:59:59Z", "31/Feb/2025:12:00:00 +0000", "09/Oct/2025:99:00:00 +0000", "9" * 48],
)
def test_what_is_no_date_of_a_log_is_declined(written):
    assert moment_us(written) is None


@given(st.text(max_size=50) | st.integers() | st.floats())
def test_nothing_makes_it_raise(written):
    moment_us(written)
