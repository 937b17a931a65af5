"""What the review queue shows: which cases a question finds, how many there are of each kind, and what a row tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import (
    Case,
    Count,
    DateTimeField,
    Exists,
    F,
    IntegerField,
    Min,
    OrderBy,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)

from ip_tracking.event import floor_hour, to_datetime, to_us
from ip_tracking.models import CaseFinding, RequestLog, ReviewAction, SuspiciousIP
from ip_tracking.models.cases import SuspiciousIPQuerySet
from ip_tracking.review.actions import Action
from ip_tracking.review.charts import HOUR
from ip_tracking.review.search import search
from ip_tracking.visible import visible

HOURS = 24

# Of a network that sent more in a day only that is told: a flood must not keep its own case from being looked at.
MOST_ROWS = 10_000

# What people write in an address for "no verdict", "nobody".
NONE = "none"

VALUES_SHOWN = 15

# A severity is told by word and shape, not by colour alone.
SHAPES = {"low": "·", "medium": "○", "high": "▲", "critical": "◆"}


class Tab(StrEnum):
    REVIEW = "review"
    MINE = "mine"
    SNOOZED = "snoozed"
    BLOCKED = "blocked"
    CLOSED = "closed"
    ALL = "all"


TITLES = {
    Tab.REVIEW: "To review",
    Tab.MINE: "Mine",
    Tab.SNOOZED: "Snoozed",
    Tab.BLOCKED: "Blocked",
    Tab.CLOSED: "Closed",
    Tab.ALL: "All",
}


def cases_of(tab: Tab, user_id: Any, now: datetime) -> SuspiciousIPQuerySet:
    cases = SuspiciousIP.objects
    return {
        Tab.REVIEW: lambda: cases.to_review(now),
        Tab.MINE: lambda: cases.mine(user_id, now),
        Tab.SNOOZED: lambda: cases.snoozed(now),
        Tab.BLOCKED: lambda: cases.blocked(now),
        Tab.CLOSED: cases.closed,
        Tab.ALL: cases.all,
    }[tab]()


@dataclass(frozen=True, slots=True)
class Facet:
    """A column to filter by. `words`: its values with their names, as the page lists them; none for an open set."""

    name: str
    title: str
    column: str
    words: Mapping[str, str] = field(default_factory=dict)

    def read(self, text: str) -> Any:
        """Returns what the column holds for a value in an address; raises ValueError for what it cannot hold."""
        if "\x00" in text:
            raise ValueError(f"No {self.title.lower()} has a NUL character.")
        if self.column == "assignee":
            return None if text == NONE else _user_id(text)
        return "" if text == NONE and "" in self.words else text


def _user_id(text: str) -> Any:
    try:
        return get_user_model()._meta.pk.to_python(text)
    except ValidationError as error:
        raise ValueError(f"{visible(text)!r} is nobody's id.") from error


FACETS = (
    Facet("severity", "Severity", "severity", dict(reversed(SuspiciousIP.Severity.choices))),
    Facet("rule", "Top rule", "top_rule"),
    Facet("verdict", "Verdict", "verdict", dict(SuspiciousIP.Verdict.choices)),
    Facet("enforcement", "Enforcement", "enforcement", dict(SuspiciousIP.Enforcement.choices)),
    Facet("assignee", "Assigned to", "assignee"),
    Facet("source", "Source", "source"),
)

# Name in an address -> column.
ORDERS = {
    "network": "span_first",
    "severity": "severity_rank",
    "score": "score",
    "rule": "top_rule",
    "seen": "last_seen",
    "enforced": "enforced_until",
}


GRAVEST_FIRST = ("-severity_rank", "-score", "-last_seen", "-pk")


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks of the queue: all of it stands in the address of the page."""

    tab: Tab = Tab.REVIEW
    chosen: Mapping[str, Any] = field(default_factory=dict)  # by the facet's name
    text: str = ""
    order: str = ""

    @classmethod
    def read(cls, params: Mapping[str, str]) -> Question:
        """Raises ValueError naming what cannot be read; the search is read when it is asked."""
        tab, order = params.get("tab", Tab.REVIEW), params.get("o", "")
        if tab not in set(Tab):
            raise ValueError(f"There is no tab {visible(tab)!r}.")
        if order.removeprefix("-") not in {"", *ORDERS}:
            raise ValueError(f"There is no order by {visible(order)!r}.")
        chosen = {facet.name: facet.read(params[facet.name]) for facet in FACETS if facet.name in params}
        return cls(Tab(tab), chosen, params.get("q", ""), order)

    def found(self, user_id: Any, now: datetime) -> SuspiciousIPQuerySet:
        """Cases of the tab that the search finds, whatever facets were chosen; raises SearchError."""
        return cases_of(self.tab, user_id, now).filter(search(self.text))

    def cases(self, user_id: Any, now: datetime) -> SuspiciousIPQuerySet:
        """Raises SearchError."""
        columns = {facet.column: self.chosen[facet.name] for facet in FACETS if facet.name in self.chosen}
        return self.found(user_id, now).filter(**columns).order_by(*self._by(), *GRAVEST_FIRST)

    def chose(self, facet: Facet, value: Any) -> bool:
        return facet.name in self.chosen and self.chosen[facet.name] == value

    def _by(self) -> list[OrderBy]:
        if not self.order:
            return []
        column = F(ORDERS[self.order.removeprefix("-")])
        return [column.desc(nulls_last=True) if self.order.startswith("-") else column.asc(nulls_last=True)]


# How many there are


@dataclass(frozen=True, slots=True)
class Waiting:
    counts: Mapping[Tab, int]
    oldest: datetime | None  # since when the case waits that waits longest


def waiting(user_id: Any, now: datetime) -> Waiting:
    """How many cases each tab holds, in one query."""
    within = {tab: Q(pk__in=cases_of(tab, user_id, now).values("pk")) for tab in Tab}
    found = SuspiciousIP.objects.annotate(waits_since=_WAITS_SINCE).aggregate(
        **{tab.value: Count("pk", filter=condition) for tab, condition in within.items()},
        oldest=Min("waits_since", filter=within[Tab.REVIEW]),
    )
    return Waiting({tab: found[tab.value] for tab in Tab}, found["oldest"])


# Since its time to come back, since what a detector found after the verdict, or since it is there. A case that a person
# took up again waits as if it had never been closed.
_AFTER_VERDICT = CaseFinding.objects.filter(case=OuterRef("pk"), last_seen__gt=OuterRef("judged_at"))
_WAITS_SINCE = Case(
    When(triage=SuspiciousIP.Triage.SNOOZED, then=F("snoozed_until")),
    When(judged_at__isnull=False, then=Subquery(_AFTER_VERDICT.order_by("last_seen").values("last_seen")[:1])),
    default=F("created_at"),
    output_field=DateTimeField(),
)


@dataclass(frozen=True, slots=True)
class Value:
    """One line of a facet: what an address says, what people read, how many cases."""

    param: str
    title: str
    count: int
    selected: bool


@dataclass(frozen=True, slots=True)
class FacetShown:
    name: str
    title: str
    values: list[Value]
    more: int  # values that are not listed


def facets(question: Question, user_id: Any, now: datetime) -> list[FacetShown]:
    """Counts each value among the cases that all the *other* facets let through; one query. Raises SearchError."""
    columns = [facet.column for facet in FACETS]
    user_name = f"assignee__{get_user_model().USERNAME_FIELD}"
    groups = list(question.found(user_id, now).order_by().values(*columns, user_name).annotate(cases=Count("pk")))
    names = {group["assignee"]: group[user_name] for group in groups}
    return [_shown(facet, groups, question, names) for facet in FACETS]


def _shown(facet: Facet, groups: list[dict[str, Any]], question: Question, names: Mapping[Any, str]) -> FacetShown:
    others = {one.column: question.chosen[one.name] for one in FACETS if one.name in question.chosen and one != facet}
    counts: Counter[Any] = Counter()
    for group in groups:
        if all(group[column] == value for column, value in others.items()):
            counts[group[facet.column]] += group["cases"]
    if facet.name in question.chosen:
        counts[question.chosen[facet.name]] += 0  # chosen, so listed, even if there is none
    # As the facet orders them, then the most frequent first.
    listed = [value for value in facet.words if value in counts]
    listed += [value for value, _ in counts.most_common() if value not in facet.words]
    kept = [value for place, value in enumerate(listed) if place < VALUES_SHOWN or question.chose(facet, value)]
    values = [
        Value(
            NONE if value in ("", None) else str(value),
            _name(facet, value, names),
            counts[value],
            question.chose(facet, value),
        )
        for value in kept
    ]
    return FacetShown(facet.name, facet.title, values, len(listed) - len(kept))


def _name(facet: Facet, value: Any, names: Mapping[Any, str]) -> str:
    if facet.column != "assignee":
        return facet.words.get(value) or visible(value)
    return "Nobody" if value is None else visible(names.get(value, f"user {value}"))


# A page of rows


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


def rows(cases: Sequence[SuspiciousIP], now: datetime) -> list[Row]:
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
