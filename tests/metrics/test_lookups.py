"""Hits and misses: each key counts once for each call that asks for it, whatever the backend makes of the call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.backends.cached_db import SessionStore
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.management import call_command
from pytest_django.fixtures import Settings

from metrics import cache, emit, lookups
from metrics.catalogue import CACHE_HITS, CACHE_MISSES
from metrics.lookups import Counted, prefix_of
from sentinel.embedded import start_valkey, store_url
from tests.dogstatsd import Receiver


class InMemory(Counted, LocMemCache):
    """What a project writes to count another cache than Redis."""


class InFiles(Counted, FileBasedCache):
    """Looks for a key before it adds one, and reads before it increments."""


class InDatabase(Counted, DatabaseCache):
    """Reads one key as one of many."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("c")
    process = start_valkey(directory)
    yield store_url(directory)
    process.kill()
    process.wait()


PATH = "tests.metrics.test_lookups."


@pytest.fixture(params=["redis", "memory", "files", "database"])
def store(request: pytest.FixtureRequest, server: str, settings: Settings, tmp_path: Path) -> BaseCache:
    """The cache named `things`, on each kind of backend."""
    if request.param == "database":
        request.getfixturevalue("db")
    settings.CACHES = {
        "default": {"BACKEND": PATH + "InMemory", "LOCATION": "other"},
        "things": {
            "redis": {"BACKEND": "metrics.cache.RedisCache", "LOCATION": server, "OPTIONS": {"socket_timeout": 1}},
            "memory": {"BACKEND": PATH + "InMemory", "LOCATION": "things"},
            "files": {"BACKEND": PATH + "InFiles", "LOCATION": str(tmp_path)},
            "database": {"BACKEND": PATH + "InDatabase", "LOCATION": "cached_things"},
        }[request.param],
    }
    if request.param == "database":
        call_command("createcachetable", verbosity=0)
    store = caches["things"]
    store.clear()
    store.set_many({"here": 1, "null": None, "also": 2})
    return store


def counted(agent: Receiver, **tags: str) -> tuple[float, float]:
    emit.flush()
    return agent.total(CACHE_HITS, **tags), agent.total(CACHE_MISSES, **tags)


def number(change: Callable[..., Any], *args: Any) -> Any:
    """Calls what raises where there is no number."""
    try:
        return change(*args)
    except ValueError:
        return None


async def anumber(change: Callable[..., Any], *args: Any) -> Any:
    try:
        return await change(*args)
    except ValueError:
        return None


CALLS: dict[str, tuple[Callable[[BaseCache], Any], float, float]] = {
    "get": (lambda c: (c.get("here"), c.get("gone")), 1, 1),
    "a stored None is a hit": (lambda c: c.get("null", "default"), 1, 0),
    "a stored default is a hit": (lambda c: c.get("here", 1), 1, 0),
    "get_many": (lambda c: c.get_many(["here", "null", "gone", "here"]), 2, 1),
    "get_many of what is passed once": (lambda c: c.get_many(key for key in ("here", "gone")), 1, 1),
    "get_many of nothing there": (lambda c: c.get_many(["gone", "lost"]), 0, 2),
    "has_key": (lambda c: (c.has_key("here"), c.has_key("gone")), 1, 1),
    "in": (lambda c: ("here" in c, "gone" in c), 1, 1),
    "touch": (lambda c: (c.touch("here", 9), c.touch("gone", 9)), 1, 1),
    "incr": (lambda c: (c.incr("here"), number(c.incr, "gone")), 1, 1),
    "decr": (lambda c: (c.decr("here"), number(c.decr, "gone")), 1, 1),
    "incr_version": (lambda c: (c.incr_version("here"), number(c.incr_version, "gone")), 1, 1),
    "decr_version": (lambda c: (c.decr_version("here"), number(c.decr_version, "gone")), 1, 1),
    "get_or_set": (lambda c: (c.get_or_set("here", 3), c.get_or_set("gone", 3), c.get_or_set("gone", 3)), 2, 1),
    "a default that looks up": (lambda c: c.get_or_set("gone", lambda: c.get("here")), 1, 1),
    "what writes is no lookup": (
        lambda c: (c.add("gone", 1), c.add("here", 1), c.set("gone", 1), c.set_many({"gone": 1})),
        0,
        0,
    ),
    "what deletes is none": (lambda c: (c.delete("here"), c.delete("gone"), c.delete_many(["also"]), c.clear()), 0, 0),
}
ASYNC_CALLS: dict[str, tuple[Callable[[BaseCache], list[Any]], float, float]] = {
    "aget": (lambda c: [c.aget("here"), c.aget("gone"), c.aget("null", 7)], 2, 1),
    "aget_many": (lambda c: [c.aget_many(["here", "null", "gone"])], 2, 1),
    "ahas_key": (lambda c: [c.ahas_key("here"), c.ahas_key("gone")], 1, 1),
    "atouch": (lambda c: [c.atouch("here", 9), c.atouch("gone", 9)], 1, 1),
    "aincr": (lambda c: [c.aincr("here"), anumber(c.aincr, "gone")], 1, 1),
    "adecr": (lambda c: [c.adecr("here"), anumber(c.adecr, "gone")], 1, 1),
    "aincr_version": (lambda c: [c.aincr_version("here"), anumber(c.aincr_version, "gone")], 1, 1),
    "adecr_version": (lambda c: [c.adecr_version("here"), anumber(c.adecr_version, "gone")], 1, 1),
    "aget_or_set": (lambda c: [c.aget_or_set("here", 3), c.aget_or_set("gone", 3), c.aget_or_set("gone", 3)], 2, 1),
    "a default that looks up": (lambda c: [c.aget_or_set("gone", lambda: c.get("here"))], 1, 1),
    "what writes": (lambda c: [c.aadd("gone", 1), c.aset("here", 1), c.aset_many({"gone": 1})], 0, 0),
}


@pytest.mark.parametrize("call", CALLS)
def test_each_lookup_counts_once(agent: Receiver, store: BaseCache, call: str) -> None:
    ask, hits, misses = CALLS[call]

    ask(store)

    assert counted(agent, cache="things") == (hits, misses)


@pytest.mark.parametrize("store", ["redis", "memory", "files"], indirect=True)  # the database's test is one transaction
@pytest.mark.parametrize("call", ASYNC_CALLS)
def test_each_async_lookup_counts_once(agent: Receiver, store: BaseCache, call: str) -> None:
    ask, hits, misses = ASYNC_CALLS[call]

    async def ask_all() -> None:
        for awaited in ask(store):
            await awaited

    asyncio.run(ask_all())

    assert counted(agent, cache="things") == (hits, misses)


def test_lookups_answer_as_before(store: BaseCache) -> None:
    default = object()

    assert store.get("gone", default) is default
    assert store.get("gone") is None
    assert store.get("null", default) is None
    assert store.get_or_set("made", lambda: 5) == 5
    assert store.get_or_set("made", lambda: 6) == 5
    with pytest.raises(ValueError, match="not found"):
        store.incr("gone")


def test_an_absent_redis_is_a_miss_and_no_error(agent: Receiver, settings: Settings) -> None:
    backend = "metrics.cache.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "unix:///nowhere/at/all.sock"}}
    store = caches["default"]

    store.get("a")
    store.get_many(["a", "b"])
    store.has_key("a")
    store.touch("a")
    number(store.incr, "a")
    store.get_or_set("a", 1)

    assert counted(agent, cache="default") == (0, 7)


def test_what_cannot_be_read_is_an_error_and_neither_hit_nor_miss(agent: Receiver, server: str) -> None:
    store = cache.RedisCache(server, {})
    store._cache.get_client(write=True).set(store.make_key("odd"), b"not pickled")

    with pytest.raises(Exception, match="load key"):
        store.get("odd")

    assert counted(agent) == (0, 0)
    assert lookups._within.get() is False


def test_a_refused_command_is_a_miss(agent: Receiver, server: str) -> None:
    store = cache.RedisCache(server, {})
    store.set("text", "no number")

    number(store.incr, "text")

    assert counted(agent) == (0, 1)


@pytest.mark.parametrize(
    ("key", "prefix"),
    [
        ("cart:7", "cart"),
        ("cart", "cart"),
        ("cart_7", "cart"),
        ("cartoon:7", "other"),
        ("xcart:7", "other"),
        ("product:7", "product"),
        ("product", "other"),
        ("cart:of:guests:7", "cart:of:guests"),
        ("django.contrib.sessions.cached_dbx7k2secret", "sessions"),
        ("django.contrib.sessions.cachex7k2secret", "sessions"),
        ("rl:0123abcd", "ratelimit"),
        ("template.cache.header.0123", "fragments"),
        ("dana@example.com", "other"),
        ("", "other"),
        (7, "other"),
    ],
)
def test_a_key_is_told_by_a_prefix_that_the_settings_name(settings: Settings, key: object, prefix: str) -> None:
    settings.METRICS = {"STRICT": True, "CACHE_PREFIXES": ["cart", "product:", "cart:of:guests"]}

    assert prefix_of(key) == prefix


def test_wrong_prefixes_take_nothing_down(settings: Settings) -> None:
    settings.METRICS = {"STRICT": True, "CACHE_PREFIXES": ["", 7, None, ":", "a b", "cart"]}

    assert [prefix_of("cart:1"), prefix_of("a b"), prefix_of("")] == ["cart", "other", "other"]


def test_nothing_of_a_key_that_no_setting_names_is_sent(agent: Receiver, store: BaseCache) -> None:
    store.get("dana@example.com")
    store.get_many(["203.0.113.7", "secret-token:7"])
    store.has_key("a|sentinel.evil:1|c")

    assert counted(agent, cache="things", prefix="other") == (0, 4)
    for secret in (b"dana", b"203.0", b"secret", b"evil"):
        assert secret not in agent.raw


@pytest.mark.django_db
def test_sessions_are_counted_apart(agent: Receiver, settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": PATH + "InMemory", "LOCATION": "sessions"}}
    session = SessionStore()
    session["cart"] = 1
    session.save()
    hits, misses = counted(agent)  # making a session looks for another of its key

    SessionStore(session.session_key).load()
    SessionStore("unknown" * 4).load()

    assert counted(agent, cache="default", prefix="sessions") == (hits + 1, misses + 1)
    assert session.session_key.encode() not in agent.raw


def test_a_cache_knows_the_name_it_has_in_the_settings(settings: Settings) -> None:
    backend = PATH + "InMemory"
    settings.CACHES = {
        "default": {"BACKEND": backend},
        "one": {"BACKEND": backend, "LOCATION": "x", "KEY_PREFIX": "one"},
        "two": {"BACKEND": backend, "LOCATION": "x", "KEY_PREFIX": "two", "OPTIONS": {"MAX_ENTRIES": 7}},
        "plain": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "y"},
        "counted": {"BACKEND": backend, "LOCATION": "y"},
        "redis": {"BACKEND": "metrics.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"},
    }

    counting = {alias: caches[alias]._alias for alias in settings.CACHES if alias != "plain"}

    assert all(alias == known for alias, known in counting.items())
    assert InMemory("made by hand", {})._alias == "none"
