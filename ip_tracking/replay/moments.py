"""When a line was written: dates as servers write them, to microseconds since the epoch; None for what is no date.

A date without zone is taken for UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from ip_tracking.event import US, to_us

# No server wrote a log before the web, and a date near the end of the calendar overflows what we compute with it.
YEARS = range(1990, 2200)
DAY_S = 86_400
_FIRST_S, _END_S = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (YEARS.start, YEARS.stop))
# Seconds, milli-, micro- and nanoseconds: within these years the numbers of one are never those of another.
_PER_S = (1, 1_000, 1_000_000, 1_000_000_000)
_LONGEST = 48  # of a date in text, so that nothing long is ever looked at closely

# The months as servers write them: C locale, and the first letters of what some others make of it.
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan ene gen", "feb fév fev", "mar mär", "apr avr abr", "may mai mag", "jun juin giu", "jul juil lug")
        + ("aug aoû ago", "sep set", "oct okt ott", "nov", "dec déc dez dic"),
        start=1,
    )
    for name in names.split()
}

_COMMON = re.compile(r"(\d{1,2}/[^/\s]{3,10}/\d{4}):(\d\d):(\d\d):(\d\d)(?:[.,]\d+)?(?:\s*([+-]\d\d:?\d\d))?")
_BEFORE_ZONE = re.compile(r"\s+(?=[+-]\d\d:?\d?\d?$|Z$)", re.IGNORECASE)


def moment_us(written: object) -> int | None:
    """A date of any kind: 09/Oct/2025:12:00:00 +0200, ISO 8601, or a number of seconds (or smaller) since 1970."""
    if isinstance(written, str):
        return _from_text(written.strip()) if len(written) <= _LONGEST else None
    if isinstance(written, int | float):
        return _from_number(written)
    return None


def common_us(day: str, hour: str, minute: str, second: str, zone: str) -> int | None:
    """The parts of a common log's date, such as 09/Oct/2025, 12, 00, 00, +0200."""
    midnight_us = _midnight_us(day, zone)
    passed_s = int(hour) * 3_600 + int(minute) * 60 + int(second)
    return None if midnight_us is None or passed_s > DAY_S else midnight_us + passed_s * US


def _from_text(text: str) -> int | None:
    if match := _COMMON.fullmatch(text):
        return common_us(*match.groups(default=""))
    try:
        return _from_number(float(text))
    except ValueError:
        return _from_iso(_BEFORE_ZONE.sub("", text).upper())


def _from_number(number: float) -> int | None:
    for per_s in _PER_S:
        if _FIRST_S * per_s <= number < _END_S * per_s:  # false of NaN too
            return round(number * US / per_s)
    return None


def _from_iso(text: str) -> int | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.year not in YEARS:
        return None
    return to_us(at if at.tzinfo else at.replace(tzinfo=UTC))


@lru_cache(maxsize=1_024)
def _midnight_us(day: str, zone: str) -> int | None:
    number, name, year = day.split("/")
    month = _MONTHS.get(name.lower()[:3]) or _MONTHS.get(name.lower()[:4])
    if month is None or int(year) not in YEARS:
        return None
    try:
        midnight = datetime(int(year), month, int(number), tzinfo=UTC)
    except ValueError:
        return None
    offset_s = int(zone[1:3] or 0) * 3_600 + int(zone[-2:] or 0) * 60
    if offset_s > DAY_S:
        return None
    return to_us(midnight) + (offset_s if zone.startswith("-") else -offset_s) * US
