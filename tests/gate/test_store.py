"""The store goes away and comes back: a real server, frozen, killed and started again."""

from __future__ import annotations

import asyncio
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from ip_tracking.gate import store
from ip_tracking.gate.store import Call, Script, Store
from sentinel.embedded import start_valkey, store_url

TIMEOUT_S = 0.05

ECHO = Script("return {ARGV[1]}", "0" * 40)  # a name the server does not know: each call falls back to EVAL


def echo(text: str) -> Call:
    return Call(ECHO, ["key"], [text])


@pytest.fixture
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("v")


@pytest.fixture
def server(directory):
    process = start_valkey(directory)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def own(server, directory):
    own = Store(store_url(directory), TIMEOUT_S)
    yield own
    own.close()


def test_a_script_the_server_does_not_know_yet_is_sent_whole(own):
    assert own.run(echo("first")) == [b"first"]
    assert asyncio.run(own.arun(echo("async"))) == [b"async"]


def test_the_shipped_scripts_are_known_by_their_own_name(own):
    names = own.client.script_load(store.ADMIT.source), own.client.script_load(store.GIVE_BACK.source)

    assert names == (store.ADMIT.sha, store.GIVE_BACK.sha)


def test_a_frozen_server_costs_one_request_its_timeouts_and_the_next_ones_nothing(own, server):
    own.run(echo("warm"))
    server.send_signal(signal.SIGSTOP)

    started = time.perf_counter()
    first = own.run(echo("first"))
    first_s = time.perf_counter() - started
    rest = [own.run(echo("next")) for _ in range(1_000)]
    rest_s = time.perf_counter() - started - first_s

    assert first is None
    assert rest == [None] * 1_000
    assert own.away
    assert first_s < 1  # two timeouts of 50 ms, on a machine that may be busy
    assert rest_s < 1


def test_after_a_frozen_server_wakes_each_call_gets_its_own_answer(own, server):
    """The answer that came too late must not be taken for the next one's."""
    own.run(echo("warm"))
    server.send_signal(signal.SIGSTOP)
    own.run(echo("late"))
    server.send_signal(signal.SIGCONT)

    own.probe()

    assert not own.away
    assert [own.run(echo(str(number))) for number in range(5)] == [[str(number).encode()] for number in range(5)]


def test_a_server_that_stays_away_is_not_taken_for_back(own, server):
    server.kill()
    server.wait()
    own.run(echo("lost"))

    own.probe()

    assert own.away


def test_after_a_restart_no_old_connection_is_used_again(own, server, directory):
    """Four threads leave four idle connections, all to the server that is gone."""
    together = Barrier(4)

    def ask(number: int) -> object:
        together.wait()
        return own.run(echo(str(number)))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(4)))
    server.kill()
    server.wait()
    again = start_valkey(directory)
    try:
        noticed = own.run(echo("noticed"))
        own.probe()
        answers = [own.run(echo("back")) for _ in range(4)]
    finally:
        again.kill()
        again.wait()

    assert noticed is None
    assert answers == [[b"back"]] * 4


def test_an_async_server_away_is_none_too(own, server):
    server.kill()
    server.wait()

    assert asyncio.run(own.arun(echo("lost"))) is None
    assert own.away


def test_any_event_loop_may_ask(own):
    answers = [asyncio.run(own.arun(echo("loop"))) for _ in range(3)]

    assert answers == [[b"loop"]] * 3


def test_a_busy_event_loop_is_not_taken_for_a_store_that_is_away(own):
    """Three hundred calls under way, and then the loop has no time for any of them for longer than a call may take."""

    async def ask_all() -> list[object]:
        calls = [asyncio.create_task(own.arun(echo(str(number)))) for number in range(300)]
        await asyncio.sleep(0)
        time.sleep(3 * TIMEOUT_S)  # noqa: ASYNC251 - the loop is busy
        return await asyncio.gather(*calls)

    answers = asyncio.run(ask_all())

    assert answers == [[str(number).encode()] for number in range(300)]
    assert not own.away


def test_who_stops_waiting_leaves_nobody_else_with_their_answer(own):
    async def leave(number: int) -> None:
        call = asyncio.create_task(own.arun(echo(f"left {number}")))
        await asyncio.sleep(0)
        call.cancel()

    async def ask_all() -> list[object]:
        await asyncio.gather(*map(leave, range(100)))
        return await asyncio.gather(*(own.arun(echo(str(number))) for number in range(100)))

    answers = asyncio.run(ask_all())

    assert answers == [[str(number).encode()] for number in range(100)]
