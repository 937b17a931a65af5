"""Where a replay counts: on a real server, by the gate's own scripts, in event time, away from all other counters."""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterable, Sequence
from itertools import islice
from types import TracebackType
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ip_tracking import conf
from ip_tracking.gate.limiter import DECISION
from ip_tracking.gate.scripts import ADMIT, GIVE_BACK
from ip_tracking.gate.store import Call

TIMEOUT_S = 10.0

# admit.lua lets a counter expire a window after its last request, by the server's own clock; but a replayed minute may
# take an hour or a millisecond. So each counter's time to live is put off in the transaction that counted. Not for
# ever: what a killed replay leaves goes away by itself. Only where the rows of one window take longer than this to
# replay would a count be lost: at a thousand rows a second 86 million.
KEEP_MS = 24 * 3_600 * 1_000

# What no longer counts is deleted every so often, so that the server holds one replayed window and not the whole log.
DELETE_EVERY = 20_000
DELETED_AT_ONCE = 1_000

# A server that evicts takes real counters first, which end sooner than ours: it must have room.
MOST_FULL = 0.5

Question = Generator[Call, Any, Any]
Command = tuple[Any, ...]


class NoCounters(Exception):
    """There is no server to count on; the text says what was wrong and what would be right."""


class Counters:
    """`with Counters(url, window_us) as counters`. Leaves nothing behind; `window_us` is the widest that is counted."""

    def __init__(self, url: str, window_us: int) -> None:
        options: dict[str, Any] = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
        try:
            self._client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), **options)
        except ValueError as error:
            raise NoCounters(f"The store to count on is not one server ({error}). {NAME_ANOTHER}") from error
        self._window_us = window_us
        self._prefix = f"{conf.get().key_prefix}:what-if:{uuid.uuid4().hex[:8]}"
        self._ends_us: dict[str, int] = {}  # every counter there is, and until when it counts
        self._answered = 0

    def __enter__(self) -> Counters:
        try:
            self._refuse_full(self._client.info("memory"))
            for script in (ADMIT, GIVE_BACK):
                self._client.script_load(script.source)
            self._connection: Any = self._client.connection_pool.get_connection()
        except redis.RedisError as error:
            raise _no_answer(error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # By names of our own: looking through all keys would keep a server that is in use busy.
        if not isinstance(error, NoCounters):
            self._delete(list(self._ends_us))
        self._connection.disconnect()
        self._client.close()

    def answer(self, questions: Sequence[Question], now_us: int) -> list[Any]:
        """Runs questions side by side, each in a world of its own: what they ask next is one round trip for all."""
        self._answered += 1
        if self._answered % DELETE_EVERY == 0:
            self._delete([key for key, ends_us in self._ends_us.items() if ends_us <= now_us])
        results: list[Any] = [None] * len(questions)
        replies: dict[int, Any] = dict.fromkeys(range(len(questions)))
        while replies:
            calls: dict[int, Call] = {}
            for world, reply in replies.items():
                try:
                    calls[world] = questions[world].send(reply)
                except StopIteration as done:
                    results[world] = done.value
            replies = self._ask(calls, now_us) if calls else {}
        return results

    def _ask(self, calls: dict[int, Call], now_us: int) -> dict[int, Any]:
        commands: list[Command] = []
        places = {}
        for world, call in calls.items():
            keys = [f"{self._prefix}:{world}:{key}" for key in call.keys]
            places[world] = len(commands)
            commands.append(("EVALSHA", call.script.sha, len(keys), *keys, *call.args))
            if call.script is ADMIT:
                counters = [key for key in keys if not key.endswith(f":{DECISION}")]
                commands += [("PEXPIRE", key, KEEP_MS) for key in counters]
                self._ends_us |= dict.fromkeys(counters, now_us + self._window_us)
        replies = self._transact(commands)
        return {world: replies[place] for world, place in places.items()}

    def _transact(self, commands: list[Command]) -> list[Any]:
        """On a connection of our own: the client's pipeline costs as much again."""
        packed = self._connection.pack_commands([("MULTI",), *commands, ("EXEC",)])
        try:
            self._connection.send_packed_command(packed, check_health=False)
            for _ in range(len(commands) + 1):
                self._connection.read_response()  # OK, and QUEUED for each
            replies: list[Any] = self._connection.read_response()
        except redis.RedisError as error:
            raise _no_answer(error) from error
        for reply in replies:
            if isinstance(reply, redis.RedisError):
                raise _no_answer(reply) from reply
        return replies

    def _delete(self, keys: Iterable[str]) -> None:
        left = iter(keys)
        while some := list(islice(left, DELETED_AT_ONCE)):
            try:
                self._client.unlink(*some)
            except redis.RedisError as error:
                raise _no_answer(error) from error
            for key in some:
                del self._ends_us[key]

    @staticmethod
    def _refuse_full(memory: Any) -> None:
        most, used = int(memory.get("maxmemory", 0)), int(memory["used_memory"])
        if most and used > MOST_FULL * most:
            raise NoCounters(
                f"The store is {used / most:.0%} full, and a replay could cost it real counters. {NAME_ANOTHER}"
            )


NAME_ANOTHER = "Name another server, such as --store redis://127.0.0.1:6380/0"


def _no_answer(error: redis.RedisError) -> NoCounters:
    return NoCounters(f"The store to count on failed ({type(error).__name__}: {error}). {NAME_ANOTHER}")
