"""A browser before a real server. These tests take no `django_db`: `world` gives them the server's own database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from playwright.sync_api import Browser, Error, Page, Response, sync_playwright
from pytest_django.fixtures import Settings

from tests.browser import house as houses
from tests.browser.axe import grave
from tests.browser.pages import OFFICE, Place
from tests.browser.watch import listen
from tests.required import require

SCREENSHOTS = Path(__file__).resolve().parents[2] / "docs/screenshots"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Debian's own: nothing is downloaded."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require("chromium", "chromium"))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server."""
    with houses.served(tmp_path_factory.mktemp("house")) as url:
        yield url


@pytest.fixture(scope="package")
def _orm(house: str, django_db_blocker: Any) -> Iterator[list[str]]:
    with pytest.MonkeyPatch.context() as patch:
        # Playwright keeps an event loop in this thread, and Django would refuse a query beside it. Nothing runs in it
        # while a test queries.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with django_db_blocker.unblock(), houses.in_its_database():
            yield houses.tables_to_empty()


@pytest.fixture
def world(_orm: list[str], house: str) -> str:
    """The server's address, with nothing in its database but what `migrate` put there."""
    houses.empty(_orm)
    return house


@pytest.fixture
def complaints() -> list[str]:
    """What the page complained of so far. A test that expects some clears it."""
    return []


@pytest.fixture
def page(chromium: Browser, world: str, complaints: list[str]) -> Iterator[Page]:
    """A window of its own, calling from OFFICE. Whatever it complains of fails the test."""
    context = chromium.new_context(
        base_url=world, viewport={"width": 1280, "height": 800}, extra_http_headers={"X-Forwarded-For": OFFICE}
    )
    context.set_default_timeout(15_000)
    window = context.new_page()
    listen(window, complaints)
    yield window
    window.evaluate("() => 0")  # what was said before this is heard by now
    context.close()
    assert complaints == []


@pytest.fixture
def login_as(page: Page, world: str, settings: Settings) -> Callable[..., Any]:
    """Signs the window in as a new member of staff with this role, `login_as(ANALYST)`; returns the user."""
    # Past the cache: of two writes it could lose the second, on a busy machine, and tell the server the first.
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"

    def sign_in(role: str, name: str = "dana") -> Any:
        user: Any = get_user_model().objects.create_user(name, is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": world}])
        return user

    return sign_in


@pytest.fixture
def visit(page: Page, login_as: Callable[..., Any]) -> Callable[[Place], Page]:
    """Arranges what the place shows, signs in, goes there and does what leads to its state."""

    def go(place: Place) -> Page:
        path = place.arrange()
        if place.role:
            login_as(place.role)
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer) if answer.request.is_navigation_request() else None)
        page.goto(path)
        if place.then is not None:
            try:
                place.then(page)
            except Error as error:
                said = page.locator("body").inner_text()
                raise AssertionError(f"{answers[-1].status} {page.url}: {said}") from error
        assert answers[-1].status == place.status
        assert "unsafe" not in answers[-1].headers["content-security-policy"]
        return page

    return go


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Fails on what axe-core calls serious or critical."""

    def check(page: Page) -> None:
        assert grave(page) == []

    return check


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Writes docs/screenshots/NAME.png, if SCREENSHOTS is in the environment: `picture(page, "case")`."""

    def take(page: Page, name: str) -> None:
        if os.environ.get("SCREENSHOTS"):
            page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return take
