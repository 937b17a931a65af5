"""The queue as the admin's change list: its tabs, facets, search and order, all of which stand in the address."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from ip_tracking.act_page import may_act
from ip_tracking.models import SuspiciousIP
from ip_tracking.review import queue, search
from ip_tracking.review.order import Action
from ip_tracking.review.queue import FACETS, Question, Tab
from ip_tracking.review.rows import Row, duration, rows_of, with_rules
from ip_tracking.visible import visible

# What an address may hold: the queue's own words, and those of the admin (page, "there was an error").
WORDS = {"tab", "q", "o", "p", "e", *(facet.name for facet in FACETS)}

COLUMNS = (  # the name to order by, "" where there is no order; the title
    ("network", "IP / network"),
    ("severity", "Severity"),
    ("score", "Score"),
    ("rule", "Why"),
    ("", "Requests in 24 h"),
    ("seen", "Last seen"),
    ("enforced", "Enforced"),
    ("", "Assigned"),
    ("", "Seen before"),
)
# By names from the first to the last, all else from the most to the least.
ASCENDING = {"network", "rule"}

# Key, action, what its page begins with. None of them acts: each opens the page that asks why.
KEYS: tuple[tuple[str, Action, dict[str, str], str], ...] = (
    ("b", Action.BLOCK, {}, "Block"),
    ("m", Action.JUDGE, {"verdict": "malicious"}, "Judge malicious"),
    ("g", Action.JUDGE, {"verdict": "benign"}, "Judge benign"),
    ("f", Action.JUDGE, {"verdict": "false_positive"}, "Judge a false positive"),
    ("a", Action.ASSIGN, {}, "Assign to me"),
    ("s", Action.SNOOZE, {}, "Snooze"),
    ("c", Action.COMMENT, {}, "Comment"),
)

EMPTY = {
    Tab.REVIEW: "Nothing waits for review. Detectors file a case as soon as a network is suspicious.",
    Tab.MINE: "No case is assigned to you. Take one from To review.",
    Tab.SNOOZED: "No case is snoozed. Snooze one that can wait until a time, or until it gets worse.",
    Tab.BLOCKED: "No network with a case is blocked or throttled now.",
    Tab.CLOSED: "No case was closed yet. Judge one, and it stands here with its verdict.",
    Tab.ALL: "There is no case yet. Send some traffic, or read a log: manage.py analyze_log --save.",
}


class Counted(Paginator):  # type: ignore[type-arg]  # generic only in the stubs
    """Asks the database only where nobody has counted before."""

    @cached_property
    def count(self) -> int:
        counter = getattr(self.object_list, "counter", None)
        return counter() if counter else super().count


class QueueList(ChangeList):
    """One question asked of the queue, and the page of its answer."""

    question: Question
    search_error: search.SearchError | None

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.now = datetime.now(UTC)
        self.user_id = request.user.pk
        super().__init__(request, *args, **kwargs)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[SuspiciousIP]:
        """In place of the admin's list filters. What is not understood is said, and the whole queue shown."""
        self.filter_specs, self.has_filters = [], True
        self.search_error = None
        try:
            self.question = _read(request)
        except ValueError as error:
            messages.error(request, f"{error} This is the whole queue.")
            raise IncorrectLookupParameters from error
        self.has_active_filters = bool(self.question.chosen)
        self.clear_all_filters_qs = self.get_query_string({facet.name: None for facet in FACETS})
        try:
            return with_rules(self.question.cases(self.user_id, self.now))
        except search.SearchError as error:
            self.search_error = error
            return SuspiciousIP.objects.none()

    def get_results(self, request: HttpRequest) -> None:
        """The facets have counted the cases already: the admin's paginator need not."""
        self.queryset.counter = lambda: 0 if self.search_error else self.answer.total
        super().get_results(request)

    # For the template

    def tabs(self) -> list[dict[str, Any]]:
        counts = self.waiting.counts
        return [
            {
                "title": queue.TITLES[tab],
                "count": counts[tab],
                "address": self.get_query_string({"tab": tab.value, "o": None}),
                "selected": tab == self.question.tab,
            }
            for tab in Tab
        ]

    def facets(self) -> list[dict[str, Any]]:
        if self.search_error:
            return []
        return [
            {
                "shown": facet,
                "is_chosen": facet.name in self.question.chosen,
                "any": self.get_query_string({facet.name: None}),
                "values": [(value, self.get_query_string({facet.name: value.param})) for value in facet.values],
            }
            for facet in self.answer.facets
            if facet.values
        ]

    def columns(self) -> list[dict[str, str]]:
        return [{"title": title, **self._sorting(name)} for name, title in COLUMNS]

    def _sorting(self, name: str) -> dict[str, str]:
        if not name:
            return {}
        order = self.question.order or "-severity"
        down, up = order == f"-{name}", order == name
        first = name if name in ASCENDING else f"-{name}"
        other = f"-{name}" if up else name
        return {
            "sorted": "descending" if down else "ascending" if up else "",
            "address": self.get_query_string({"o": other if up or down else first}),
        }

    @cached_property
    def answer(self) -> queue.Answer:
        return queue.answer(self.question, self.user_id, self.now)

    @cached_property
    def waiting(self) -> queue.Waiting:
        return queue.waiting(self.user_id, self.now)

    @property
    def longest(self) -> str:
        """How long the case waits that waits longest, "" where none does."""
        return duration(self.now - self.waiting.oldest) if self.waiting.oldest else ""

    @cached_property
    def rows(self) -> list[Row]:
        return rows_of(list(self.result_list), self.now)

    @property
    def empty(self) -> str:
        return EMPTY[self.question.tab]

    @property
    def is_narrowed(self) -> bool:
        return bool(self.question.chosen or self.question.text.strip())

    @property
    def without_search(self) -> str:
        return self.get_query_string({"q": None})

    @property
    def everywhere(self) -> str:
        """The same search in the last tab, without facets."""
        return self.get_query_string({"tab": Tab.ALL.value, **{facet.name: None for facet in FACETS}})


def keys_of(request: HttpRequest) -> list[dict[str, str]]:
    """The keys that open the page of an action, as far as this user may act."""
    return [
        {"key": key, "action": action.value, "title": title, "given": urlencode(given)}
        for key, action, given, title in KEYS
        if may_act(request, action)
    ]


def _read(request: HttpRequest) -> Question:
    unknown = sorted(set(request.GET) - WORDS)
    if unknown:
        raise ValueError(f"There is no filter {visible(unknown[0])!r}.")
    return Question.read(request.GET.dict())
