"""All that a filter finds, as a file: a page after the other, so that memory does not grow with it."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import uuid4

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request

from ip_tracking.models.cases import SuspiciousIPQuerySet
from ip_tracking.review import record
from ip_tracking.review.order import REASON_CHARS
from ip_tracking.review.roles import EXPORT
from ip_tracking.security_api.access import SecurityView
from ip_tracking.security_api.examples import EXPORTED
from ip_tracking.security_api.filters import NAMES, PARAMETERS, cases_asked_for, refuse_unknown
from ip_tracking.security_api.problem import Problem, problems
from ip_tracking.security_api.shapes import CASE_FIELDS, CaseSerializer
from ip_tracking.visible import visible

Get = TypeVar("Get", bound=Callable[..., StreamingHttpResponse])

MOST_ROWS = 100_000
AT_ONCE = 1_000

# What a spreadsheet takes for a formula; Japanese ones the wide forms too.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the wide forms are meant

# Excel takes a file without it for one in the code page of the machine.
BOM = "\ufeff"

MOST_CELL_CHARS = 1_000


class Echo:
    """A file for csv.writer that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def cell(value: object) -> object:
    """A text as a spreadsheet may have it: no formula, nothing hidden."""
    if not isinstance(value, str):
        return "" if value is None else value
    shown = visible(value, MOST_CELL_CHARS)
    return f"'{shown}" if value.startswith(FORMULA) else shown


def as_csv(pages: Iterator[list[dict[str, Any]]]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield BOM + writer.writerow(CASE_FIELDS)
    for page in pages:
        yield "".join(writer.writerow([cell(_flat(row[name])) for name in CASE_FIELDS]) for row in page)


def as_json(pages: Iterator[list[dict[str, Any]]]) -> Iterator[str]:
    """One array, a case a line, ASCII throughout: whoever reads the end of it has all of it."""
    before = "[\n"
    for page in pages:
        yield before + ",\n".join(json.dumps(row, ensure_ascii=True) for row in page)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _flat(value: Any) -> Any:
    """Of somebody, the name."""
    return value["name"] if isinstance(value, dict) else value


def pages_of(cases: SuspiciousIPQuerySet) -> Iterator[list[dict[str, Any]]]:
    """By id, a query for each page: no transaction stays open for as long as somebody downloads."""
    last, left = 0, MOST_ROWS
    # One for all: a serializer that was given its rows holds them in a circle, until the collector comes by.
    shape = CaseSerializer()
    ordered = cases.select_related("assignee").order_by("pk")
    while page := list(ordered.filter(pk__gt=last)[: min(AT_ONCE, left)]):
        yield [shape.to_representation(case) for case in page]
        last, left = page[-1].pk, left - len(page)


class ExportView(SecurityView):
    """The two below name their format."""

    name = ""
    content_type = ""

    def texts(self, pages: Iterator[list[dict[str, Any]]]) -> Iterator[str]:
        raise NotImplementedError

    def export(self, request: Request) -> StreamingHttpResponse:
        self.actor.require(EXPORT, "export cases")
        refuse_unknown(request.query_params, NAMES)
        now = datetime.now(UTC)
        cases = cases_asked_for(request.query_params, self.actor.id, now)
        if cases.order_by()[: MOST_ROWS + 1].count() > MOST_ROWS:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "too-many",
                "Too many cases",
                f"More than {MOST_ROWS:,} cases are found: filter them, or export them in parts.",
            )
        reason = visible(f"{self.name} {request._request.GET.urlencode()}".strip(), REASON_CHARS.stop - 1)
        record.write(record.Deed("export", self.actor, now, uuid4(), reason))
        texts = self.texts(pages_of(cases))
        asynchronous = isinstance(request._request, ASGIRequest)
        response = StreamingHttpResponse(_apart(texts) if asynchronous else texts, content_type=self.content_type)
        response["Content-Disposition"] = f'attachment; filename="cases.{self.name}"'
        return response


async def _apart(texts: Iterator[str]) -> AsyncIterator[str]:
    """Django would read an ordinary iterator to its end before it sends anything from an event loop."""
    following = sync_to_async(lambda: next(texts, None))
    while (text := await following()) is not None:
        yield text


def _described(
    name: str, schema: Any, media_type: str, text: str, examples: Sequence[OpenApiExample] = ()
) -> Callable[[Get], Get]:
    described: Callable[[Get], Get] = extend_schema(
        operation_id=f"security_cases_export_{name}",
        summary=f"Export cases as {name.upper()}",
        description=f"What the filters find, by id, at most {MOST_ROWS:,} cases. {text} Takes export_suspiciousip, "
        "and is recorded with the filters.",
        parameters=PARAMETERS,
        responses={(200, media_type): OpenApiResponse(schema), **problems(400, 422)},
        examples=examples,
    )
    return described


class CsvExportView(ExportView):
    name = "csv"
    content_type = "text/csv; charset=utf-8"

    def texts(self, pages: Iterator[list[dict[str, Any]]]) -> Iterator[str]:
        return as_csv(pages)

    @_described(
        "csv",
        OpenApiTypes.STR,
        "text/csv",
        "UTF-8 with a byte order mark. A text that a spreadsheet would take for a formula begins with an apostrophe; "
        "control and bidi characters are written as escapes.",
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        return self.export(request)


class JsonExportView(ExportView):
    name = "json"
    content_type = "application/json"

    def texts(self, pages: Iterator[list[dict[str, Any]]]) -> Iterator[str]:
        return as_json(pages)

    @_described("json", CaseSerializer(many=True), "application/json", "One array.", EXPORTED)
    def get(self, request: Request) -> StreamingHttpResponse:
        return self.export(request)
