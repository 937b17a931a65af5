"""The store goes away and comes back: a real server, frozen, killed and started again."""

from __future__ import annotations

import asyncio
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from ip_tracking.gate.scripts import ADMIT, GIVE_BACK, Script
from ip_tracking.gate.server import Server
from metrics import breaker
from metrics.cache import RedisCache
from sentinel.embedded import start_valkey, store_url
from tests.services import STORE_BINARY

TIMEOUT_S = 0.05

ECHO = Script("return {ARGV[1]}", "0" * 40)  # a name the server does not know: each call falls back to EVAL


def echo(text: str) -> tuple[Script, list[str], list[str]]:
    return ECHO, ["key"], [text]


@pytest.fixture
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("v")


@pytest.fixture
def server(directory):
    process = start_valkey(directory, binary=STORE_BINARY)
    yield process
    process.kill()
    process.wait()


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def pass_a_second(self) -> None:
        self.now_s += breaker.TEST_EVERY_S


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def own(server, directory, clock):
    breaker.of(store_url(directory), clock)
    own = Server(store_url(directory), TIMEOUT_S)
    yield own
    own.close()


async def ask_async(own: Server, *call: object) -> object:
    """One event loop's own client, closed with it."""
    try:
        return await own.arun(*call)
    finally:
        await own._async_client().aclose()


def test_a_script_the_server_does_not_know_yet_is_sent_whole(own):
    assert own.run(*echo("first")) == [b"first"]
    assert asyncio.run(ask_async(own, *echo("async"))) == [b"async"]


def test_the_shipped_scripts_are_known_by_their_own_name(own):
    names = own.client.script_load(ADMIT.source), own.client.script_load(GIVE_BACK.source)

    assert names == (ADMIT.sha, GIVE_BACK.sha)


def test_a_frozen_server_costs_one_request_its_timeouts_and_the_next_ones_nothing(own, server):
    own.run(*echo("warm"))
    server.send_signal(signal.SIGSTOP)

    started = time.perf_counter()
    first = own.run(*echo("first"))
    first_s = time.perf_counter() - started
    rest = [own.run(*echo("next")) for _ in range(1_000)]
    rest_s = time.perf_counter() - started - first_s

    assert first is None
    assert rest == [None] * 1_000
    assert own.away
    assert first_s < 1  # two timeouts of 50 ms, on a machine that may be busy
    assert rest_s < 1


def test_what_the_gate_finds_out_the_cache_of_that_server_knows(own, server, directory):
    cache = RedisCache(store_url(directory, database=5), {})
    server.kill()
    server.wait()

    own.run(*echo("lost"))
    again = start_valkey(directory, binary=STORE_BINARY)
    try:
        known = cache.add("key", 1)
    finally:
        again.kill()
        again.wait()

    assert known is False  # though the server is there: nobody's turn to test it


def test_after_a_frozen_server_wakes_each_call_gets_its_own_answer(own, server, clock):
    """The answer that came too late must not be taken for the next one's."""
    own.run(*echo("warm"))
    server.send_signal(signal.SIGSTOP)
    own.run(*echo("late"))
    server.send_signal(signal.SIGCONT)

    clock.pass_a_second()
    answers = [own.run(*echo(str(number))) for number in range(5)]

    assert answers == [[str(number).encode()] for number in range(5)]
    assert not own.away


def test_a_server_that_stays_away_is_tested_by_one_call_a_second(own, server, clock):
    server.kill()
    server.wait()
    own.run(*echo("lost"))

    clock.pass_a_second()
    answers = [own.run(*echo("still")) for _ in range(5)]

    assert answers == [None] * 5
    assert own.away


def test_after_a_restart_no_old_connection_is_used_again(own, server, directory, clock):
    """Four threads leave four idle connections, all to the server that is gone."""
    together = Barrier(4)

    def ask(number: int) -> object:
        together.wait()
        return own.run(*echo(str(number)))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(4)))
    server.kill()
    server.wait()
    again = start_valkey(directory, binary=STORE_BINARY)
    try:
        noticed = own.run(*echo("noticed"))
        clock.pass_a_second()
        answers = [own.run(*echo("back")) for _ in range(4)]
    finally:
        again.kill()
        again.wait()

    assert noticed is None
    assert answers == [[b"back"]] * 4


def test_an_outage_of_any_length_does_not_use_up_connections(own, server, directory, clock):
    """Each test makes a connection anew; redis-py's pool would refuse to after a hundred."""
    server.kill()
    server.wait()
    for _ in range(150):
        own.run(*echo("test"))
        clock.pass_a_second()
    again = start_valkey(directory, binary=STORE_BINARY)
    try:
        answer = own.run(*echo("back"))
    finally:
        again.kill()
        again.wait()

    assert answer == [b"back"]


def test_many_requests_of_one_event_loop_ask_at_once(own):
    """More than the hundred connections that redis-py allows by itself."""

    async def ask() -> list[object]:
        try:
            return await asyncio.gather(*(own.arun(*echo("one of many")) for _ in range(150)))
        finally:
            await own._async_client().aclose()

    assert asyncio.run(ask()) == [[b"one of many"]] * 150


def test_a_view_that_computes_is_not_taken_for_a_slow_server(own):
    """While it holds the loop the answer comes and the time runs out."""

    async def ask() -> object:
        try:
            await own.arun(*echo("warm"))
            asked = asyncio.ensure_future(own.arun(*echo("meanwhile")))
            await asyncio.sleep(0)
            held_until_s = time.perf_counter() + 4 * TIMEOUT_S
            while time.perf_counter() < held_until_s:
                pass
            return await asked
        finally:
            await own._async_client().aclose()

    assert asyncio.run(ask()) == [b"meanwhile"]


def test_a_frozen_server_costs_each_async_call_its_timeout_once(own, server):
    async def ask() -> tuple[list[object], float]:
        try:
            await own.arun(*echo("warm"))
            server.send_signal(signal.SIGSTOP)
            started = time.perf_counter()
            together = await asyncio.gather(*(own.arun(*echo("lost")) for _ in range(50)))
            later = [await own.arun(*echo("lost")) for _ in range(1_000)]
            return together + later, time.perf_counter() - started
        finally:
            await own._async_client().aclose()

    answers, took_s = asyncio.run(ask())

    assert answers == [None] * 1_050
    assert took_s < 1  # once 50 ms, on a machine that may be busy


def test_an_async_server_away_is_none_too(own, server):
    server.kill()
    server.wait()

    assert asyncio.run(ask_async(own, *echo("lost"))) is None
    assert own.away


def test_each_event_loop_has_its_own_connection(own):
    answers = [asyncio.run(ask_async(own, *echo("loop"))) for _ in range(3)]

    assert answers == [[b"loop"]] * 3


def test_a_busy_event_loop_is_not_taken_for_a_store_that_is_away(own):
    """Three hundred calls under way, and then the loop has no time for any of them for longer than a call may take."""

    async def ask_all() -> list[object]:
        calls = [asyncio.create_task(own.arun(*echo(str(number)))) for number in range(300)]
        await asyncio.sleep(0)
        time.sleep(3 * TIMEOUT_S)  # noqa: ASYNC251 - the loop is busy
        answers = await asyncio.gather(*calls)
        await own._async_client().aclose()
        return answers

    answers = asyncio.run(ask_all())

    assert answers == [[str(number).encode()] for number in range(300)]
    assert not own.away


def test_who_stops_waiting_leaves_nobody_else_with_their_answer(own):
    async def leave(number: int) -> None:
        call = asyncio.create_task(own.arun(*echo(f"left {number}")))
        await asyncio.sleep(0)
        call.cancel()

    async def ask_all() -> list[object]:
        await asyncio.gather(*map(leave, range(100)))
        answers = await asyncio.gather(*(own.arun(*echo(str(number))) for number in range(100)))
        await own._async_client().aclose()
        return answers

    answers = asyncio.run(ask_all())

    assert answers == [[str(number).encode()] for number in range(100)]
