"""Which cases: the same question as the queue's page asks, read from a query string, strictly."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError

from ip_tracking.models.cases import SuspiciousIPQuerySet
from ip_tracking.review.queue import FACETS, NONE, Question, Tab
from ip_tracking.review.search import HELP, SearchError
from ip_tracking.visible import visible

TAB, SEARCH, ME = "tab", "q", "me"

NAMES = (TAB, SEARCH, *(facet.name for facet in FACETS))

_SEARCH_HELP = "; ".join(f"`{term}`: {meaning}" for term, meaning in HELP)
_MEANING = {"assignee": f"A user's id, `{ME}`, or `{NONE}`.", "source": "`live`, or the log file a case came from."}

PARAMETERS = [
    OpenApiParameter(TAB, enum=[tab.value for tab in Tab], default=Tab.REVIEW.value, description="As on the page."),
    OpenApiParameter(SEARCH, OpenApiTypes.STR, description=f"The search language. {_SEARCH_HELP}."),
    *(
        OpenApiParameter(
            facet.name,
            OpenApiTypes.STR,
            enum=[value or NONE for value in facet.words] or None,
            description=_MEANING.get(facet.name, f"{facet.title}."),
        )
        for facet in FACETS
    ),
]


def cases_asked_for(params: QueryDict, user_id: Any, now: datetime) -> SuspiciousIPQuerySet:
    """Raises ValidationError, naming the parameter: a filter that was misspelt must not find everything."""
    given = {name: str(params[name]) for name in NAMES if name in params}
    for facet in FACETS:
        if facet.words and facet.name in given:
            _check_word(facet.name, given[facet.name], [value or NONE for value in facet.words])
    _check_word(TAB, given.get(TAB, Tab.REVIEW), list(Tab))
    if given.get("assignee") == ME:
        given["assignee"] = str(user_id)
    try:
        return Question.read(given).cases(user_id, now)
    except SearchError as error:
        raise ValidationError({SEARCH: [f"{error} (at character {error.column}: {error.marked!r})"]}) from error
    except ValueError as error:
        raise ValidationError([str(error)]) from error


def refuse_unknown(params: QueryDict, known: Iterable[str]) -> None:
    known = sorted(known)
    for name, values in params.lists():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = (
                f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}." if known else "there is none."
            )
            raise ValidationError({visible(name): [f"There is no such parameter: {hint}"]})
        if len(values) > 1:
            raise ValidationError({name: ["Write it once."]})


def _check_word(name: str, value: str, words: list[str]) -> None:
    if value not in words:
        raise ValidationError({name: [f"{visible(value)!r} is none of {', '.join(words)}."]})
