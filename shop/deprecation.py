"""What will go, told where it is met: in the answer and in the OpenAPI document. docs/api-versioning.md promises it.

    @deprecated(Deprecation("get", since=date(2026, 3, 1), instead="`GET /products/`", read="/api/v1/docs/"))
    class OldListView(APIView): ...

`parameter` or `field` narrows it to one parameter of the query, or one field of the JSON body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from django.utils.http import http_date
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

V = TypeVar("V", bound=type[APIView])

# A client that is released twice a year meets it once before it ends.
SHORTEST = timedelta(days=365)
MARK = "deprecations"

FIELDS = {
    "Deprecation": "Since when what was asked for is deprecated: `@` and seconds since 1970 (RFC 9745).",
    "Sunset": "When it ends (RFC 8594). Not there while no day is set.",
    "Link": 'Where to read more, as `rel="deprecation"`.',
}


@dataclass(frozen=True, slots=True)
class Deprecation:
    method: str
    since: date
    instead: str  # what to use, in the words of the document
    read: str  # the address of a page that says more
    sunset: date | None = None
    parameter: str = ""
    field: str = ""

    def __post_init__(self) -> None:
        if self.sunset and self.sunset - self.since < SHORTEST:
            raise ValueError(f"A sunset comes {SHORTEST.days} days after `since` or later, not on {self.sunset}.")

    def concerns(self, request: Request) -> bool:
        asked = (request.method or "").lower()
        if ("get" if asked == "head" else asked) != self.method:
            return False
        if self.parameter:
            return self.parameter in request.query_params
        return not self.field or self.field in _body(request)

    def in_words(self) -> str:
        end = f", ends on {self.sunset}" if self.sunset else ""
        return f"Deprecated since {self.since}{end}: use {self.instead}."


def deprecated(*what: Deprecation) -> Callable[[V], V]:
    """Marks a class of views. Refusals of the view carry the fields too; those at the door never reach it."""

    def mark(view: V) -> V:
        finalize = view.finalize_response

        # `Any` is REST framework's own signature.
        def finalize_response(self: APIView, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
            answer = finalize(self, request, response, *args, **kwargs)
            tell(answer, [each for each in what if each.concerns(request)])
            return answer

        view.finalize_response = finalize_response  # type: ignore[method-assign]
        setattr(view, MARK, what)
        return view

    return mark


def tell(response: Response, met: Sequence[Deprecation]) -> None:
    """Of several the one that began first, and the one that ends first."""
    if not met:
        return
    response["Deprecation"] = f"@{_seconds(min(each.since for each in met))}"
    if ends := [each.sunset for each in met if each.sunset]:
        response["Sunset"] = http_date(_seconds(min(ends)))
    response["Link"] = ", ".join(dict.fromkeys(f'<{each.read}>; rel="deprecation"; type="text/html"' for each in met))


# Any: an OpenAPI document is JSON of every shape, and drf-spectacular's generator has no annotations.
def describe_deprecations(result: dict[str, Any], generator: Any, **_: object) -> dict[str, Any]:
    """SPECTACULAR_SETTINGS["POSTPROCESSING_HOOKS"] names this: it sets `deprecated`, and says what to use instead."""
    for path, _, method, view in generator.endpoints or ():
        for each in getattr(view.cls, MARK, ()):
            coerced = generator.coerce_path(path, method, generator.create_view(view, method))
            operation = result["paths"].get(coerced, {}).get(method.lower())
            if operation is not None and each.method == method.lower():
                _describe(operation, each, result)
    return result


def _describe(operation: dict[str, Any], what: Deprecation, result: dict[str, Any]) -> None:
    for part in _parts(operation, what, result):
        part["deprecated"] = True
        part["description"] = f"{part.get('description', '')}\n\n{what.in_words()}".strip()
    for answer in operation["responses"].values():
        if "$ref" not in answer:
            told = {name: {"schema": {"type": "string"}, "description": text} for name, text in FIELDS.items()}
            answer["headers"] = {**told, **answer.get("headers", {})}


def _parts(operation: dict[str, Any], what: Deprecation, result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if what.parameter:
        yield from (each for each in operation["parameters"] if (each["name"], each["in"]) == (what.parameter, "query"))
    elif what.field:
        for body in operation["requestBody"]["content"].values():
            name = body["schema"]["$ref"].rpartition("/")[2]
            yield result["components"]["schemas"][name]["properties"][what.field]
    else:
        yield operation


def _body(request: Request) -> dict[str, Any]:
    # What cannot be read was refused, or is by nobody's wish.
    with suppress(APIException):
        return request.data if isinstance(request.data, dict) else {}
    return {}


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
