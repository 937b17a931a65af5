"""The cache: Django's own while its server is there, an empty one while it is not, at once and without an exception."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.test import Client
from pytest_django.fixtures import Settings

from metrics import breaker, cache
from metrics.cache import RedisCache
from sentinel.embedded import start_valkey, store_url


@pytest.fixture
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("c")


@pytest.fixture
def server(directory: Path) -> Iterator[Popen[bytes]]:
    process = start_valkey(directory)
    yield process
    process.kill()
    process.wait()


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(directory: Path) -> Clock:
    clock = Clock()
    breaker.of(store_url(directory), clock)
    return clock


@pytest.fixture
def own(server: Popen[bytes], directory: Path, clock: Clock) -> RedisCache:
    return RedisCache(store_url(directory), {"KEY_PREFIX": "test", "OPTIONS": {"socket_timeout": 0.2}})


@pytest.fixture
def absent(own: RedisCache, server: Popen[bytes]) -> RedisCache:
    """A server that held something and is gone."""
    own.set("known", 1)
    server.kill()
    server.wait()
    return own


def test_it_holds_what_it_is_given(own: RedisCache) -> None:
    own.set("one", {"any": "thing"})
    own.set_many({"two": 2, "three": 3})

    assert own.get("one") == {"any": "thing"}
    assert own.get_many(["two", "three", "four"]) == {"two": 2, "three": 3}
    assert not own.add("one", "again")
    assert own.incr("two", 40) == 42
    assert own.decr("two") == 41
    assert own.touch("two", 100)
    assert "three" in own
    assert own.delete("three")
    own.delete_many(["one"])
    assert own.get("one", "gone") == "gone"
    assert own.get_or_set("new", lambda: 7) == 7
    assert own.incr_version("two") == 2
    assert own.clear()
    assert own.get("new") is None


def test_a_number_keeps_its_lifetime_and_none_is_made_without_one(own: RedisCache) -> None:
    own.set("counter", 1, timeout=50)

    sums = [own.incr("counter"), asyncio.run(own.aincr("counter")), asyncio.run(own.adecr("counter"))]

    client = own._cache.get_client(write=True)
    assert sums == [2, 3, 2]
    assert 0 < client.ttl("test:1:counter") <= 50
    with pytest.raises(ValueError, match="not found"):
        own.incr("nothing")
    assert not client.exists("test:1:nothing")


def test_a_number_that_expires_on_the_way_is_not_made_anew(own: RedisCache) -> None:
    """One command, so there is no moment between asking and adding."""
    own.set("counter", 1)
    client = own._cache.get_client(write=True)
    before = client.info("commandstats")
    own.incr("counter")
    after = client.info("commandstats")

    calls = {
        name: stats["calls"] - before.get(name, {"calls": 0})["calls"]
        for name, stats in after.items()
        if name in {"cmdstat_eval", "cmdstat_exists", "cmdstat_incrby"}
    }
    assert calls["cmdstat_eval"] == 1  # the other two ran within it


def test_an_absent_server_is_an_empty_cache(absent: RedisCache) -> None:
    assert absent.get("known", "default") == "default"
    assert absent.get_many(["known"]) == {}
    assert "known" not in absent
    assert absent.add("new", 1) is False
    assert absent.touch("known") is False
    assert absent.delete("known") is False
    assert absent.clear() is False
    assert absent.set("known", 2) is None
    assert absent.set_many({"known": 2}) == []
    assert absent.delete_many(["known"]) is None
    assert absent.get_or_set("known", lambda: "made") == "made"
    for change in (absent.incr, absent.decr, absent.incr_version, absent.decr_version):
        with pytest.raises(ValueError, match="not found"):
            change("known")


def test_an_absent_server_is_an_empty_cache_in_async_code_too(absent: RedisCache) -> None:
    async def ask() -> list[object]:
        answers = [
            await absent.aget("known", "default"),
            await absent.aget_many(["known"]),
            await absent.ahas_key("known"),
            await absent.aadd("new", 1),
            await absent.atouch("known"),
            await absent.adelete("known"),
            await absent.aclear(),
            await absent.aset("known", 2),
            await absent.aset_many({"known": 2}),
            await absent.adelete_many(["known"]),
            await absent.aget_or_set("known", lambda: "made"),
        ]
        for change in (absent.aincr, absent.adecr, absent.aincr_version, absent.adecr_version):
            with pytest.raises(ValueError, match="not found"):
                await change("known")
        return answers

    assert asyncio.run(ask()) == ["default", {}, False, False, False, False, False, None, [], None, "made"]


def test_a_frozen_server_costs_one_call_its_timeouts_and_the_next_ones_nothing(
    own: RedisCache, server: Popen[bytes]
) -> None:
    own.set("known", 1)
    server.send_signal(signal.SIGSTOP)

    started = time.perf_counter()
    answers = [own.get("known") for _ in range(1_000)]
    took_s = time.perf_counter() - started

    assert answers == [None] * 1_000
    assert took_s < 2  # once 0.2 s, on a machine that may be busy


def test_a_cache_trips_the_breaker_that_all_users_of_the_server_share(absent: RedisCache, directory: Path) -> None:
    absent.get("known")

    assert breaker.of(store_url(directory, database=3)).away


def test_a_cache_obeys_the_breaker_that_another_tripped(own: RedisCache, directory: Path, clock: Clock) -> None:
    own.set("known", 1)
    gate = breaker.of(store_url(directory))
    gate.failed(gate.enter(), ConnectionError())

    during = own.get("known")
    clock.now_s = 1.0
    after = own.get("known")

    assert (during, after) == (None, 1)


def test_what_could_not_be_changed_is_not_read_again_when_the_server_is_back(
    own: RedisCache, server: Popen[bytes], clock: Clock
) -> None:
    """Else a session that was ended meanwhile would live again."""
    own.set_many({"changed": 1, "many": 1, "deleted": 1, "also": 1, "kept": 1})
    server.send_signal(signal.SIGSTOP)
    own.set("changed", 2)
    own.set_many({"many": 2})
    own.delete("deleted")
    own.delete_many(["also"])
    server.send_signal(signal.SIGCONT)

    clock.now_s = 1.0

    assert own.get_many(["changed", "many", "deleted", "also", "kept"]) == {"kept": 1}
    assert not own._cache._each[0].stale


def test_a_refused_command_is_told_once_and_does_not_open_the_gate(
    own: RedisCache, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own.set("text", "no number")
    cache._told.clear()

    with caplog.at_level(logging.WARNING, "metrics.cache"):
        for _ in range(3):
            with pytest.raises(ValueError, match="holds no number"):
                own.incr("text")

    assert not breaker.of(store_url(directory)).away
    assert len(caplog.records) == 1


def test_options_of_the_settings_go_over_the_defaults() -> None:
    plain = RedisCache("redis://127.0.0.1:1/0", {})
    chosen = RedisCache("redis://127.0.0.1:1/0", {"OPTIONS": {"socket_timeout": 3, "max_connections": 7}})

    options = [made._cache._each[0]._pool_options for made in (plain, chosen)]

    assert [o["socket_timeout"] for o in options] == [0.02, 3]
    assert [o["socket_connect_timeout"] for o in options] == [0.02, 0.02]
    assert [o["retry"].get_retries() for o in options] == [0, 0]
    assert options[1]["max_connections"] == 7


def test_copies_are_read_and_the_first_is_written(own: RedisCache, directory: Path) -> None:
    """A copy that is away is a miss; writing goes on."""
    both = RedisCache([store_url(directory), "unix:///nowhere.sock"], {"KEY_PREFIX": "test"})
    both.set("known", 1)

    assert both.get("known") is None
    assert own.get("known") == 1


@pytest.mark.django_db
def test_signing_in_to_the_admin_works_while_the_cache_is_away(settings: Settings) -> None:
    from_settings = settings.CACHES["default"]["BACKEND"]
    settings.CACHES = {"default": {"BACKEND": from_settings, "LOCATION": "unix:///nowhere.sock"}}
    settings.ROOT_URLCONF = "sentinel.urls"
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ]
    get_user_model().objects.create_superuser("dana", "dana@example.com", "a long enough password")
    browser = Client()

    answer = browser.post(
        "/admin/login/", {"username": "dana", "password": "a long enough password", "next": "/admin/"}
    )
    page = browser.get("/admin/")
    caches["default"].close()

    assert from_settings == "metrics.cache.RedisCache"
    assert settings.SESSION_ENGINE == "django.contrib.sessions.backends.cached_db"
    assert (answer.status_code, page.status_code) == (302, 200)
