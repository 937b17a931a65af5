"""Every error of the review desk's API is a problem document (RFC 9457), whatever the project does elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from ip_tracking.gate.responses import PROBLEM
from ip_tracking.review.actor import NotAllowed
from ip_tracking.review.order import NotPossible
from ip_tracking.visit import current

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class Problem(APIException):
    """A refusal that needs more than its status says: `name` makes the type, `members` extend the document."""

    def __init__(self, status: HTTPStatus, name: str, title: str, detail: str, **members: object) -> None:
        super().__init__(detail, name)
        self.status_code = status.value
        self.type = f"urn:problem-type:security:{name}"
        self.title = title
        self.members = members


# Any: REST framework's context, and error details whose shape follows the request.
def render_problem(exc: Exception, context: dict[str, Any]) -> Response | None:
    """What is not an error of the API stays with Django, which reports it."""
    exc = _as_api_error(exc)
    response = exception_handler(exc, context)
    if response is None:
        return None
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(response.status_code).phrase,
        "status": response.status_code,
    }
    if isinstance(exc, ValidationError):
        problem |= {
            "type": "urn:problem-type:security:invalid-request",
            "title": "Invalid request",
            "detail": "Some values cannot be accepted: `errors` says which and why.",
            "errors": list(_errors(exc.detail, context["request"].method in SAFE_METHODS)),
        }
    else:
        problem["detail"] = response.data["detail"]
    if isinstance(exc, Problem):
        problem |= {"type": exc.type, "title": exc.title, **exc.members}
    visit = current.get()
    response.data = problem | ({"instance": f"urn:sentinel:request:{visit.request_id}"} if visit else {})
    response.content_type = PROBLEM
    return response


def _as_api_error(exc: Exception) -> Exception:
    if isinstance(exc, NotAllowed):
        return PermissionDenied(str(exc))
    if isinstance(exc, NotPossible):
        return ValidationError({exc.field: [str(exc)]} if exc.field else [str(exc)])
    return exc


def _errors(detail: Any, in_query: bool) -> Iterator[dict[str, str]]:
    for path, text in _flatten(detail):
        if in_query:
            yield {"detail": text, "parameter": ".".join(path)}
        else:
            yield {"detail": text, "pointer": "#" + "".join(f"/{step}" for step in path)}


def _flatten(detail: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """A list of messages belongs to the field itself, a list of dictionaries to one item each."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from _flatten(inner, path if key == "non_field_errors" else (*path, str(key)))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            yield from _flatten(inner, path if isinstance(inner, str) else (*path, str(index)))
    else:
        yield path, str(detail)


class FieldProblemSerializer(serializers.Serializer[dict[str, str]]):
    detail = serializers.CharField()
    pointer = serializers.CharField(required=False, help_text="Where in the body: a JSON pointer.")
    parameter = serializers.CharField(required=False, help_text="Which query parameter.")


class SecurityProblemSerializer(serializers.Serializer[dict[str, Any]]):
    """A problem document (RFC 9457). Only the OpenAPI description uses this class."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    # As `errors` below.
    instance = serializers.CharField(  # type: ignore[assignment]
        required=False, help_text="What to tell whoever runs the service."
    )
    version = serializers.IntegerField(required=False, help_text="The version that the case has now (412).")
    # Takes the place of an attribute of REST framework's, as any field of that name does.
    errors = FieldProblemSerializer(many=True, required=False)  # type: ignore[assignment]


def problems(*statuses: int) -> dict[tuple[int, str], type[SecurityProblemSerializer]]:
    """What an operation answers besides success, for its description."""
    return {(status, PROBLEM): SecurityProblemSerializer for status in (*statuses, 401, 403)}
