"""How old is the browser that an agent names? Tools that change their agent draw from lists that were made once."""

from __future__ import annotations

import re
from functools import lru_cache
from math import inf

from ip_tracking.event import US

# Browsers renew themselves. Five years behind are devices that nothing renews any more: a few in a hundred visitors.
DATED_YEARS = 5

_YEAR_US = 31_556_952 * US  # of the calendar, on average
# Not Opera Mini: its own servers ask for thousands of phones, each with its agent.
_BROWSER = re.compile(r"\b(Chrome|Firefox|MSIE|Trident)/? ?(\d{1,3})")

# When Chrome and Firefox began to come every four weeks, and how many came in a year before that.
_MONTHLY_FROM, _MONTHLY_SINCE, _A_YEAR = 94, 2021.8, 13.0
_A_YEAR_BEFORE = {"Chrome": 7.1, "Firefox": 8.6}
# Browsers that came to an end: the year of the last one.
_LAST = {"MSIE": 2012, "Trident": 2013}


@lru_cache(maxsize=4_096)
def dated_from_us(agent: str) -> float:
    """From when on the agent names a browser of long ago; never where it names none of the common ones."""
    match = _BROWSER.search(agent)
    if match is None:
        return inf
    return (_released(match[1], int(match[2])) + DATED_YEARS - 1970) * _YEAR_US


def _released(browser: str, version: int) -> float:
    """The year, to a few months."""
    if browser in _LAST:
        return _LAST[browser]
    later = version - _MONTHLY_FROM
    return _MONTHLY_SINCE + later / (_A_YEAR if later > 0 else _A_YEAR_BEFORE[browser])
