"""What is asked of the review queue: which cases a question finds, and how many there are of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import (
    Case,
    Count,
    DateTimeField,
    F,
    Min,
    OrderBy,
    OuterRef,
    Q,
    Subquery,
    When,
)

from ip_tracking.detection.finding import Severity
from ip_tracking.models import CaseFinding, SuspiciousIP, cases
from ip_tracking.models.cases import SuspiciousIPQuerySet
from ip_tracking.review.search import search
from ip_tracking.visible import visible

# What people write in an address for "no verdict", "nobody".
NONE = "none"

VALUES_SHOWN = 15


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


def within(tab: Tab, user_id: Any, now: datetime) -> Q:
    """The condition of a tab."""
    return {
        Tab.REVIEW: cases.to_review(now),
        Tab.MINE: cases.to_review(now) & Q(assignee_id=user_id),
        Tab.SNOOZED: cases.snoozed(now),
        Tab.BLOCKED: cases.blocked(now),
        Tab.CLOSED: cases.closed(),
        Tab.ALL: Q(),
    }[tab]


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
    key = get_user_model()._meta.pk
    try:
        found = key.to_python(text)
        key.run_validators(found)  # SQLite raises for a number that it cannot hold
    except ValidationError as error:
        raise ValueError(f"{visible(text)!r} is nobody's id.") from error
    return found


FACETS = (
    Facet("severity", "Severity", "severity", dict(reversed(SuspiciousIP.Severity.choices))),
    Facet("rule", "Top rule", "top_rule"),
    Facet("verdict", "Verdict", "verdict", dict(SuspiciousIP.Verdict.choices)),
    Facet("enforcement", "Enforcement", "enforcement", dict(SuspiciousIP.Enforcement.choices)),
    Facet("assignee", "Assigned to", "assignee"),
    Facet("source", "Source", "source"),
)

_RANKS = {severity.value: severity.rank for severity in Severity}

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
        return SuspiciousIP.objects.filter(within(self.tab, user_id, now), search(self.text))

    def cases(self, user_id: Any, now: datetime) -> SuspiciousIPQuerySet:
        """Raises SearchError."""
        columns = {facet.column: self.chosen[facet.name] for facet in FACETS if facet.name in self.chosen}
        if "severity" in columns:
            columns["severity_rank"] = _RANKS.get(columns["severity"], 0)  # where the index of the order begins
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
    """How many cases each tab holds, in one query; one more for the few that came back after a verdict."""
    to_review = within(Tab.REVIEW, user_id, now)
    found = SuspiciousIP.objects.aggregate(
        **{tab.value: Count("pk", filter=within(tab, user_id, now)) for tab in Tab},
        oldest=Min(_WAITS_SINCE, filter=to_review & ~_CAME_BACK),
    )
    came_back = SuspiciousIP.objects.filter(to_review & _CAME_BACK).aggregate(oldest=Min(Subquery(_AFTER_VERDICT)))
    oldest = min((one for one in (found["oldest"], came_back["oldest"]) if one), default=None)
    return Waiting({tab: found[tab.value] for tab in Tab}, oldest)


def waiting_since(now: datetime) -> dict[str, datetime]:
    """Since when the case of each severity waits that waits longest; none of a severity that none waits of."""
    to_review = SuspiciousIP.objects.filter(cases.to_review(now)).order_by()
    first = to_review.filter(~_CAME_BACK).values_list("severity").annotate(since=Min(_WAITS_SINCE))
    came_back = to_review.filter(_CAME_BACK).values_list("severity", Subquery(_AFTER_VERDICT))
    oldest: dict[str, datetime] = {}
    for severity, since in (*first, *came_back):
        if since:
            oldest[severity] = min(since, oldest.get(severity, since))
    return oldest


# Since its time to come back, since what a detector found after the verdict, or since it is there. A case that a person
# took up again waits as if it had never been closed.
_WAITS_SINCE = Case(
    When(triage=SuspiciousIP.Triage.SNOOZED, then=F("snoozed_until")),
    default=F("created_at"),
    output_field=DateTimeField(),
)
_CAME_BACK = Q(triage=SuspiciousIP.Triage.OPEN, judged_at__isnull=False)
_AFTER_VERDICT = (
    CaseFinding.objects.filter(case=OuterRef("pk"), last_seen__gt=OuterRef("judged_at"))
    .order_by("last_seen")
    .values("last_seen")[:1]
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


@dataclass(frozen=True, slots=True)
class Answer:
    """How many cases a question finds, and how many each facet would."""

    total: int
    facets: list[FacetShown]


def answer(question: Question, user_id: Any, now: datetime) -> Answer:
    """Counts each value among the cases that all the *other* facets let through; one query. Raises SearchError."""
    columns = [facet.column for facet in FACETS]
    user_name = f"assignee__{get_user_model().USERNAME_FIELD}"
    groups = list(question.found(user_id, now).order_by().values(*columns, user_name).annotate(cases=Count("pk")))
    names = {group["assignee"]: group[user_name] for group in groups}
    chosen = {facet.column: question.chosen[facet.name] for facet in FACETS if facet.name in question.chosen}
    total = sum(group["cases"] for group in groups if _is_chosen(group, chosen))
    return Answer(total, [_shown(facet, groups, question, names) for facet in FACETS])


def _is_chosen(group: Mapping[str, Any], chosen: Mapping[str, Any]) -> bool:
    return all(group[column] == value for column, value in chosen.items())


def _shown(facet: Facet, groups: list[dict[str, Any]], question: Question, names: Mapping[Any, str]) -> FacetShown:
    others = {one.column: question.chosen[one.name] for one in FACETS if one.name in question.chosen and one != facet}
    counts: Counter[Any] = Counter()
    for group in groups:
        if _is_chosen(group, others):
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
