"""What is at stake when a network is blocked: whom it attacked, and who else is behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q

from ip_tracking.cases import LIVE, SCORE_DAYS
from ip_tracking.models import RequestLog, SuspiciousIP
from ip_tracking.outcomes import LOGIN_FAILED, LOGIN_OK

IMPACT = timedelta(hours=24)

# What a route of kind "payment" leaves that answered well, see ip_tracking.outcomes.
PAYMENT_OK = "payment_ok"

# A network that sends more in a week is no household. Half a second's work.
MOST_ROWS = 100_000

# Of each of many networks so many are looked at all the same.
LEAST_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Stakes:
    accounts_failed: int  # in the days that the score counts
    accounts_logged_in: int
    users: int  # known callers and good payments of the last 24 hours: who would be locked out
    payments: int
    at_least: bool  # there are more rows than were counted


@dataclass(frozen=True, slots=True)
class Impact:
    """Who would be locked out: known callers and good payments of the last 24 hours."""

    users: int = 0
    payments: int = 0
    too_many: bool = False  # it sent more requests than are counted


def impact_of(cases: Sequence[SuspiciousIP], now: datetime) -> dict[str, Impact]:
    """Returns the impact by network, in two queries. A network is missing where nothing is known, see `stakes_of`."""
    counted = _few_rows(cases, now - IMPACT)
    people = RequestLog.objects.filter(at__gte=now - IMPACT).people(counted)
    found = {network: Impact(one["users"], one["good_payments"]) for network, one in people.items()}
    live = {case.network: Impact() for case in cases if case.source == LIVE}
    return live | {case.network: Impact(too_many=True) for case in cases if case.network not in counted} | found


def _few_rows(cases: Sequence[SuspiciousIP], since: datetime) -> set[str]:
    """Those of the networks that sent few enough requests to look at each: the fewer networks, the more."""
    most = max(MOST_ROWS // max(len(cases), 1), LEAST_ROWS)
    rows = RequestLog.objects.filter(network=OuterRef("network"), at__gte=since).order_by()
    within = SuspiciousIP.objects.filter(pk__in=[case.pk for case in cases]).order_by()
    few = within.exclude(Exists(rows.values("pk")[most : most + 1]))
    return set(few.values_list("network", flat=True))


def stakes_of(case: SuspiciousIP, now: datetime) -> Stakes | None:
    """Returns None where nothing is known: the case came from a log file, and the request log has none of its rows."""
    today, named = Q(at__gte=now - IMPACT), ~Q(account="")
    found = RequestLog.objects.latest_of(case.network, now - timedelta(days=SCORE_DAYS), most=MOST_ROWS).aggregate(
        rows=Count("pk"),
        accounts_failed=Count("account", distinct=True, filter=named & Q(outcome=LOGIN_FAILED)),
        accounts_logged_in=Count("account", distinct=True, filter=named & Q(outcome=LOGIN_OK)),
        users=Count("user", distinct=True, filter=today & ~Q(user="")),
        payments=Count("pk", filter=today & Q(outcome=PAYMENT_OK)),
    )
    rows = found.pop("rows")
    if case.source != LIVE and not rows:
        return None
    return Stakes(**found, at_least=rows == MOST_ROWS)
