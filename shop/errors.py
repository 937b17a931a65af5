"""Every error of the shop is a problem document (RFC 9457), so that a client needs one way to read them."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

MEDIA_TYPE = "application/problem+json"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class Problem(APIException):
    """A refusal that needs more than its status code says: `name` makes the type, `members` extend the document."""

    wait: int | None = None  # seconds, which REST framework tells as Retry-After

    def __init__(self, status: HTTPStatus, name: str, title: str, detail: str, **members: str | list[str]) -> None:
        super().__init__(detail, name)
        self.status_code = status.value
        self.type = f"urn:problem-type:shop:{name}"
        self.title = title
        self.members = members


# `Any`: JSON.
def document_of(problem: Problem) -> dict[str, Any]:
    return {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status_code,
        "detail": str(problem.detail),
        **problem.members,
    }


# `Any`: REST framework's error details are nested lists and dictionaries whose shape follows the request.
def render_problem(exc: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's EXCEPTION_HANDLER. What is not an API error stays with Django, which reports it."""
    response = exception_handler(exc, context)
    if response is None:
        return None
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(response.status_code).phrase,
        "status": response.status_code,
        "detail": "",
    }
    if isinstance(exc, ValidationError):
        in_query = context["request"].method in SAFE_METHODS
        problem["type"] = "urn:problem-type:shop:invalid-request"
        problem["title"] = "Invalid request"
        problem["detail"] = "Some values cannot be accepted: `errors` says which and why."
        problem["errors"] = [_error(path, detail, in_query) for path, detail in _flatten(exc.detail)]
    else:
        problem["detail"] = response.data["detail"]
    if isinstance(exc, Problem):
        problem = document_of(exc)
    response.data = problem
    response.content_type = MEDIA_TYPE
    return response


def _flatten(detail: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from _flatten(inner, path if key == "non_field_errors" else (*path, str(key)))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            # A list of messages belongs to the field itself; a list of dictionaries is one per item of the request.
            yield from _flatten(inner, path if isinstance(inner, str) else (*path, str(index)))
    else:
        yield path, str(detail)


def _error(path: tuple[str, ...], detail: str, in_query: bool) -> dict[str, str]:
    if in_query:
        return {"detail": detail, "parameter": ".".join(path)}
    steps = (step.replace("~", "~0").replace("/", "~1") for step in path)
    return {"detail": detail, "pointer": "#" + "".join(f"/{step}" for step in steps)}


class FieldErrorSerializer(serializers.Serializer[dict[str, str]]):
    detail = serializers.CharField()
    pointer = serializers.CharField(required=False, help_text="Where in the body: a JSON pointer.")
    parameter = serializers.CharField(required=False, help_text="Which query parameter.")


class ProblemSerializer(serializers.Serializer[dict[str, Any]]):
    """A problem document (RFC 9457). Only the OpenAPI description uses this class."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    # Takes the place of an attribute of REST framework's, as any field of that name does.
    errors = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment]


def refusals(*statuses: int) -> dict[int | tuple[int, str], object]:
    """Returns the responses of an operation that are problem documents, for its description."""
    return {(status, MEDIA_TYPE): ProblemSerializer for status in statuses}
