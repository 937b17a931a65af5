"""Staff's sessions, kept in the cache and in the database: read from the first, true to the second. As wired."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from metrics import breaker
from metrics.lookups import prefix_of
from sentinel.embedded import start_valkey, store_url
from shop.accounts.models import User

PAGE = "/admin/health/"
PASSWORD = "correct horse battery"

pytestmark = pytest.mark.django_db


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def dana() -> User:
    return User.objects.create_superuser("dana", "dana@example.com", PASSWORD)


@pytest.fixture
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("c")


@pytest.fixture
def clock(directory: Path) -> Clock:
    """That of the breaker of the cache's own server."""
    clock = Clock()
    breaker.of(store_url(directory), clock)
    return clock


@pytest.fixture
def server(directory: Path, clock: Clock, settings: Settings) -> Iterator[Popen[bytes]]:
    """The cache on a server of its own, which a test may take away."""
    process = start_valkey(directory)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": store_url(directory), "OPTIONS": {}}}
    yield process
    caches["default"].close()
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()


def signed_in(password: str = PASSWORD) -> Client:
    browser = Client()
    answer = browser.post("/admin/login/", {"username": "dana", "password": password, "next": PAGE})
    assert answer.status_code == 302, answer.content
    assert sees(browser)
    return browser


def sees(browser: Client) -> bool:
    """Does the admin know this browser? Else it sends it to the login."""
    answer = browser.get(PAGE)
    assert answer.status_code in (200, 302)
    return bool(answer.status_code == 200)


def copy_of(browser: Client) -> Client:
    """Another who holds the same cookie."""
    other = Client()
    other.cookies["sessionid"] = browser.cookies["sessionid"].value
    return other


def asked_for_a_page(engine: str, settings: Settings) -> list[str]:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    browser = signed_in()
    with CaptureQueriesContext(connection) as asked:
        assert sees(browser)
    return [query["sql"] for query in asked.captured_queries]


def test_a_page_asks_the_database_one_thing_less_than_without_the_cache(dana: User, settings: Settings) -> None:
    """The one is the session: the user, with their rights of this moment, is read each time."""
    chosen = settings.SESSION_ENGINE.rpartition(".")[2]

    kept, asked = asked_for_a_page(chosen, settings), asked_for_a_page("db", settings)

    assert len(kept) == len(asked) - 1
    assert not any("django_session" in sql for sql in kept)


def test_a_session_is_kept_under_a_prefix_that_is_counted_by_name(dana: User) -> None:
    browser = signed_in()
    key = f"django.contrib.sessions.cached_db{browser.cookies['sessionid'].value}"

    assert key in caches["default"]
    assert prefix_of(key) == "sessions"


def test_a_cookie_copied_before_signing_out_is_worth_nothing_after(dana: User) -> None:
    browser = signed_in()
    thief = copy_of(browser)
    assert sees(thief)

    browser.post("/admin/logout/")

    assert not sees(thief)
    assert not sees(browser)


def test_another_password_ends_every_other_session_though_the_cache_holds_it(dana: User) -> None:
    browser, other = signed_in(), signed_in()

    fields = {"old_password": PASSWORD, "new_password1": "another horse 7", "new_password2": "another horse 7"}
    changed = browser.post("/admin/password_change/", fields)

    assert changed.status_code == 302
    assert sees(browser)
    assert not sees(other)


def test_whoever_is_locked_out_is_so_at_once_though_the_cache_holds_their_session(dana: User) -> None:
    browser = signed_in()

    User.objects.update(is_active=False)

    assert not sees(browser)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["dead", "frozen"])
def test_staff_stays_signed_in_when_the_cache_goes_away_in_between(
    dana: User, server: Popen[bytes], directory: Path, how: signal.Signals
) -> None:
    """And signs in while it is away. What a frozen one costs is timed in tests/outage."""
    browser = signed_in()

    server.send_signal(how)

    assert [sees(browser) for _ in range(3)] == [True] * 3
    assert breaker.of(store_url(directory)).away
    assert sees(signed_in())


def test_a_session_that_ended_while_the_cache_was_frozen_is_not_back_with_it(
    dana: User, server: Popen[bytes], clock: Clock
) -> None:
    browser = signed_in()
    thief = copy_of(browser)
    server.send_signal(signal.SIGSTOP)
    browser.post("/admin/logout/")
    assert not Session.objects.exists()

    server.send_signal(signal.SIGCONT)
    clock.now_s += 10  # past the next test of whether it answers

    assert not sees(thief)
    assert sees(signed_in())
