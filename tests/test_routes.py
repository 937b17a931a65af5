"""Every route, under the name that a resolved request has and the path that consumers read."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path, resolve

from ip_tracking.routes import every_route


def view(request: HttpRequest, **arguments: object) -> HttpResponse:
    return HttpResponse()


inner = ([path("<slug:slug>/", view, name="detail"), path("", view)], "inner")
middle = ([path("deep/", include(inner)), re_path(r"^(?P<year>\d{4})/$", view, name="year")], "middle")

urlpatterns = [
    path("", view, name="home"),
    path("api/v1/", include([path("items/<int:pk>/", view, name="item")])),
    path("shop/", include(middle, namespace="store")),
    re_path(r"^v1\.0/old/$", view, name="old"),
]


@pytest.fixture(autouse=True)
def _urls(settings):
    settings.ROOT_URLCONF = "tests.test_routes"


def test_names_have_their_namespaces_and_paths_their_arguments():
    assert [(route.name, route.path) for route in every_route()] == [
        ("home", "/"),
        ("item", "/api/v1/items/{pk}/"),
        ("store:inner:detail", "/shop/deep/{slug}/"),
        ("store:inner:tests.test_routes.view", "/shop/deep/"),
        ("store:year", "/shop/{year}/"),
        ("old", "/v1.0/old/"),
    ]


@pytest.mark.parametrize("address", ["/", "/api/v1/items/7/", "/shop/deep/a-lamp/", "/shop/deep/", "/shop/2026/"])
def test_each_name_is_the_one_that_the_door_sees(address):
    assert resolve(address).view_name in {route.name for route in every_route()}
