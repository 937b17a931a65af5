"""The staff's page: who may see it, what it says of each part, and the way to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils.html import escape

from metrics.health_page import EXPLAINED
from metrics.probes import PARTS
from metrics.readiness import readiness
from tests.health.test_readyz import lost_redis

__all__ = ["lost_redis"]

pytestmark = pytest.mark.django_db

PAGE = "/admin/health/"


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    readiness.forget()
    yield
    readiness.forget()


@pytest.fixture
def staff() -> Client:
    """A member without any permission: nothing here is secret among staff."""
    client = Client()
    client.force_login(
        get_user_model().objects.create_user("sam", is_staff=True),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def test_staff_find_it_from_the_admins_first_page(staff: Client) -> None:
    assert f'<a href="{PAGE}">' in staff.get("/admin/").content.decode()
    assert staff.get(PAGE).status_code == 200


def test_nobody_else_sees_it() -> None:
    customer = Client()
    customer.force_login(
        get_user_model().objects.create_user("ada"), backend="django.contrib.auth.backends.ModelBackend"
    )

    for client in (Client(), customer):
        assert client.get(PAGE)["Location"] == f"/admin/login/?next={PAGE}"


def test_every_part_is_explained() -> None:
    assert tuple(one.part for one in EXPLAINED) == PARTS


def test_it_says_what_was_found_and_what_to_do(staff: Client, lost_redis: Callable[..., None]) -> None:
    lost_redis(READY_NEEDS=["database", "broker"])

    page = staff.get(PAGE).content.decode()

    assert "Database: answers" in page
    assert "Redis: does not answer" in page
    assert "(ConnectionError)" in page
    assert "METRICS['READY_NEEDS'] leaves it out" in page
    assert "Ready: what is needed answers." in page
    assert "hunter2" not in page
    for one in EXPLAINED:
        assert {escape(one.asks), escape(one.fails), escape(one.do)} <= set(re.findall(r"<dd>(.*?)</dd>", page))


def test_it_says_when_something_needed_is_away(staff: Client, lost_redis: Callable[..., None]) -> None:
    lost_redis()

    assert "Not ready" in staff.get(PAGE).content.decode()


def test_it_tells_servers_of_one_kind_apart_without_their_passwords(
    staff: Client, settings: Any, lost_redis: Callable[..., None]
) -> None:
    urls = settings.METRICS["REDIS_URLS"]
    lost_redis()
    settings.METRICS = {**settings.METRICS, "REDIS_URLS": [*urls, *settings.METRICS["REDIS_URLS"]]}

    page = staff.get(PAGE).content.decode()

    assert "failed</strong>, 127.0.0.1:" in page
    assert "ok</strong>, /" in page
    assert "hunter2" not in page


def test_a_project_without_redis_is_told_so(staff: Client, settings: Any) -> None:
    settings.METRICS = {**settings.METRICS, "REDIS_URLS": []}

    assert "Redis: not part of this project" in staff.get(PAGE).content.decode()
