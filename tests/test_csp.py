"""The Content-Security-Policy: on every answer that passed the door, and the only one on those that bring their own."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django.fixtures import Settings

OURS = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
THEIRS = "default-src 'self'"


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<p>A page")


def with_its_own(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<p>A page", headers={"Content-Security-Policy": THEIRS})


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError


urlpatterns = [path("plain/", plain), path("own/", with_its_own), path("broken/", broken)]

of_these_pages = pytest.mark.urls(__name__)


@of_these_pages
@pytest.mark.parametrize(("page", "status"), [("/plain/", 200), ("/no-such-page/", 404), ("/broken/", 500)])
def test_every_page_has_it(http: SimpleNamespace, page: str, status: int) -> None:
    response = http.get(page)

    assert response.status_code == status
    assert response["Content-Security-Policy"] == OURS


@of_these_pages
def test_a_page_with_a_policy_of_its_own_keeps_it(http: SimpleNamespace) -> None:
    assert http.get("/own/")["Content-Security-Policy"] == THEIRS


@of_these_pages
@pytest.mark.parametrize("page", ["/no-such-page/", "/broken/"])
def test_djangos_pages_for_developers_have_none(settings: Settings, page: str) -> None:
    """They hold their script and style, and are there with DEBUG only."""
    settings.DEBUG = True

    assert "Content-Security-Policy" not in Client(raise_request_exception=False).get(page)


@pytest.mark.django_db
def test_only_the_page_about_the_api_shows_pictures_written_into_its_style(client: Client) -> None:
    docs = client.get("/api/v1/docs/")["Content-Security-Policy"]

    assert docs == OURS.replace("img-src 'self'", "img-src 'self' data:")
    assert client.get("/admin/login/")["Content-Security-Policy"] == OURS


def test_a_form_without_its_token_gets_a_page_without_style_inside() -> None:
    response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "dana", "password": "secret"})

    assert response.status_code == 403
    assert response["Content-Security-Policy"] == OURS
    assert "Load the page anew" in response.content.decode()
    assert "<style" not in response.content.decode()
