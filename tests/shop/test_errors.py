from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client
from rest_framework.exceptions import APIException, ErrorDetail, NotAuthenticated, Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from shop.errors import Problem, render_problem


def rendered(exc: Exception, method: str = "POST") -> Response:
    response = render_problem(exc, {"request": Request(APIRequestFactory().generic(method, "/"))})
    assert response is not None
    assert response.content_type == "application/problem+json"
    assert response.data["status"] == response.status_code
    return response


def errors(detail: Any, method: str = "POST") -> list[dict[str, str]]:
    found: list[dict[str, str]] = rendered(ValidationError(detail), method).data["errors"]
    return found


def test_a_throttled_caller_reads_when_to_come_back() -> None:
    assert rendered(Throttled(wait=12.2))["Retry-After"] == "13"


def test_a_caller_without_credentials_reads_how_to_give_them() -> None:
    exc = NotAuthenticated()
    exc.auth_header = 'Bearer realm="api"'

    assert rendered(exc)["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(
    ("exc", "title"),
    [(Http404(), "Not Found"), (PermissionDenied(), "Forbidden"), (APIException("Odd."), "Internal Server Error")],
)
def test_what_the_status_says_alone_needs_no_type(exc: Exception, title: str) -> None:
    data = rendered(exc).data

    assert (data["type"], data["title"]) == ("about:blank", title)
    assert data["detail"]


def test_what_is_no_api_error_is_left_to_django() -> None:
    assert render_problem(RuntimeError("a bug"), {}) is None


def test_a_problem_carries_its_own_type_and_members() -> None:
    data = rendered(Problem(HTTPStatus.CONFLICT, "sold", "Sold", "Gone.", sku="A")).data

    assert data == {"type": "urn:problem-type:shop:sold", "title": "Sold", "status": 409, "detail": "Gone.", "sku": "A"}


@pytest.mark.parametrize(
    ("detail", "pointers"),
    [
        ("Wrong.", ["#"]),
        ({"non_field_errors": ["Wrong."]}, ["#"]),
        ({"a": ["Wrong.", "Worse."]}, ["#/a", "#/a"]),
        ({"a": [{}, {"b": [ErrorDetail("Wrong.")]}]}, ["#/a/1/b"]),
        ({"a": {0: {"b": ["Wrong."]}}}, ["#/a/0/b"]),
        ({"a/b~c": ["Wrong."]}, ["#/a~1b~0c"]),
    ],
)
def test_a_field_error_points_into_the_body(detail: Any, pointers: list[str]) -> None:
    assert [error["pointer"] for error in errors(detail)] == pointers


def test_a_query_error_names_its_parameter() -> None:
    assert errors({"page": ["Wrong."]}, "GET") == [{"detail": "Wrong.", "parameter": "page"}]


@pytest.mark.parametrize(
    ("method", "path", "content_type", "accept", "status"),
    [
        ("POST", "auth/token/", "text/plain", "*/*", 415),
        ("POST", "auth/token/", "application/json; charset=hex", "*/*", 400),
        ("POST", "auth/token/", "application/json", "text/html", 406),
        ("GET", "products/?format=xml", "", "*/*", 404),
    ],
)
def test_a_request_in_a_foreign_tongue_gets_a_problem_too(
    client: Client, db: None, method: str, path: str, content_type: str, accept: str, status: int
) -> None:
    headers = {"Accept": accept, "Content-Type": content_type}

    response = client.generic(method, f"/api/v1/{path}", b"{}", content_type, headers=headers)

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
