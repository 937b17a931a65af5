"""What a row of the review queue tells about a case: fifty of them in three queries, however much is going on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery

from ip_tracking.event import floor_hour, to_datetime, to_us
from ip_tracking.models import CaseFinding, RequestLog, ReviewAction, SuspiciousIP
from ip_tracking.review.charts import HOUR
from ip_tracking.review.order import Action
from ip_tracking.visible import visible

HOURS = 24

# Of a network that sent more in a day only that is told: a flood must not keep its own case from being looked at.
MOST_ROWS = 10_000

# A severity is told by word and shape, not by colour alone.
SHAPES = {"low": "·", "medium": "○", "high": "▲", "critical": "◆"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What people said of a case before."""

    word: str
    at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class Row:
    """A case as the queue shows it."""

    case: SuspiciousIP
    shape: str
    why: str
    more_rules: int
    since: datetime  # when the first of the hours begins
    hours: list[int]  # requests in each; empty where they are too many to count
    requests: str
    seen: str
    enforced: str
    assigned: str
    before: Verdict | None


def with_rules(cases: QuerySet[SuspiciousIP]) -> QuerySet[SuspiciousIP]:
    """Adds how many rules found each case."""
    findings = CaseFinding.objects.filter(case=OuterRef("pk")).order_by().values("case")
    counted = findings.annotate(rules=Count("rule", distinct=True)).values("rules")
    return cases.select_related("assignee").annotate(rules=Subquery(counted, output_field=IntegerField()))


def rows_of(cases: Sequence[SuspiciousIP], now: datetime) -> list[Row]:
    """`cases`: one page, as `with_rules` gives them. Three queries, however many they are."""
    since = to_datetime(floor_hour(to_us(now))) - (HOURS - 1) * HOUR
    hours = requests_of(cases, since, now)
    before = verdicts_of(cases)
    return [_row(case, since, hours.get(case.network, []), before.get(case.pk), now) for case in cases]


def requests_of(cases: Iterable[SuspiciousIP], since: datetime, now: datetime) -> dict[str, list[int]]:
    """Counts the requests of each network by hour. Networks that sent too many to count are left out."""
    too_many = RequestLog.objects.filter(network=OuterRef("network"), at__gte=since, at__lte=now).order_by()
    within = SuspiciousIP.objects.filter(pk__in=[case.pk for case in cases])
    few = within.exclude(Exists(too_many.values("pk")[MOST_ROWS : MOST_ROWS + 1])).order_by()
    networks = list(few.values_list("network", flat=True))
    counted = RequestLog.objects.requests_by_hour(networks, since, now)
    hours = [since + place * HOUR for place in range(HOURS)]
    return {network: [counted[hour, network] for hour in hours] for network in networks}


def verdicts_of(cases: Iterable[SuspiciousIP]) -> dict[int, Verdict]:
    """The last verdict on each case that stands open again."""
    waiting = [case.pk for case in cases if case.triage != SuspiciousIP.Triage.CLOSED]
    undone = ReviewAction.objects.filter(undoes=OuterRef("batch"), case_id=OuterRef("case_id"))
    judged = ReviewAction.objects.filter(case_id__in=waiting, action__in=(Action.JUDGE, Action.BLOCK))
    in_order = judged.exclude(Exists(undone)).order_by("at")
    words = dict(SuspiciousIP.Verdict.choices)
    return {
        case_id: Verdict(words.get(after["verdict"], after["verdict"]), at, visible(who))
        for case_id, at, who, after in in_order.values_list("case_id", "at", "actor_name", "after")
        if case_id and after["verdict"]
    }


def _row(case: SuspiciousIP, since: datetime, hours: list[int], before: Verdict | None, now: datetime) -> Row:
    return Row(
        case=case,
        shape=SHAPES[case.severity],
        why=visible(case.top_rule),
        more_rules=max(getattr(case, "rules", None) or 0, 1) - 1,
        since=since,
        hours=hours,
        requests=f"{sum(hours):,}" if hours else f"over {MOST_ROWS:,}",
        seen=f"{duration(now - case.last_seen)} ago",
        enforced=enforced(case, now),
        assigned=visible(case.assignee.get_username()) if case.assignee else "",
        before=before,
    )


def enforced(case: SuspiciousIP, now: datetime) -> str:
    """What stands against the case's network, and for how much longer."""
    if case.enforcement == SuspiciousIP.Enforcement.NONE:
        return "No"
    word = case.get_enforcement_display()
    if case.enforced_until is None:
        return f"{word} for good"
    return f"{word}, {duration(case.enforced_until - now)} left" if case.enforced_until > now else f"{word} (over)"


def duration(time: timedelta) -> str:
    """Says a time as people do: 40 min, 7 h 12 min, 3 d 4 h."""
    minutes = max(time // timedelta(minutes=1), 0)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
