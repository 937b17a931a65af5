"""What no view answers: an address that is none, a Host that is not ours, a body of no length, a view that fails."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from pytest_django import Settings

from sentinel.urls import handler400, handler404, handler500


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("for a test")


urlpatterns = [path("api/v1/fail/", fail), path("fail/", fail)]
__all__ = ["handler400", "handler404", "handler500"]  # Django looks them up here


@pytest.fixture(autouse=True)
def _urls(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.test_api_errors"
    settings.ALLOWED_HOSTS = ["shop.example.com"]


@pytest.mark.parametrize(
    ("address", "host", "status"),
    [
        ("/api/v1/orders/no-number/", "shop.example.com", 404),
        ("/api/v1/fail/", "elsewhere.example.com", 400),
        ("/api/v1/fail/", "shop.example.com", 500),
    ],
)
def test_the_api_answers_by_a_problem_document(address: str, host: str, status: int) -> None:
    """A program that calls the API reads one form of error, also where no view was asked."""
    answer = Client(raise_request_exception=False).get(address, headers={"Host": host})

    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json().keys() == {"type", "title", "status", "detail"}
    assert answer.json()["status"] == status


@pytest.mark.parametrize(("address", "status"), [("/nothing/", 404), ("/fail/", 500)])
def test_a_person_is_shown_a_page(address: str, status: int) -> None:
    """Beside the API nothing changes."""
    answer = Client(raise_request_exception=False).get(address, headers={"Host": "shop.example.com"})

    assert (answer.status_code, answer["Content-Type"]) == (status, "text/html; charset=utf-8")


def test_a_body_without_its_length_never_reaches_a_view() -> None:
    """By both kinds of servers: it would be taken for no body at all."""
    sent = {"Host": "shop.example.com", "Transfer-Encoding": "chunked"}

    answers = [
        Client().post("/api/v1/fail/", headers=sent),
        async_to_sync(AsyncClient().post)("/api/v1/fail/", headers=sent),
    ]

    for answer in answers:
        assert (answer.status_code, answer["Content-Type"]) == (411, "application/problem+json")
        assert "Content-Length" in answer.json()["detail"]
