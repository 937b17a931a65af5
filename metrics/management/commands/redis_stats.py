"""Shows the numbers of the watched Redis servers to a person, once or again and again."""

from __future__ import annotations

import json
import math
import os
import signal
import threading
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseTrouble

from metrics import conf
from metrics.redis_stats import baseline
from metrics.redis_stats.errors import BadAddress
from metrics.redis_stats.look import Look, Watcher, as_data, since_export
from metrics.redis_stats.reading import Failure
from metrics.redis_stats.servers import FORMS, name_of
from metrics.redis_stats.table import line, table

INTERVAL_S = 5.0
# A reading that takes a server's whole INFO is not for every moment.
LEAST_S = 0.1

INTERRUPTED = 130  # what shells report for Ctrl-C; a watch has no other end, so there it is 0
CLEAR = "\x1b[2J\x1b[H"

Seen = Sequence[Look | Failure]


def seconds(text: str) -> float:
    with suppress(ValueError):
        if (number := float(text)) >= LEAST_S and math.isfinite(number):
            return number
    raise ArgumentTypeError(f"{text!r:.40} is no number of seconds: write {LEAST_S} or more, for example 5")


class Command(BaseCommand):
    help = (
        "Shows hits, misses and their ratio, evictions and expirations, since the start of each Redis server and since "
        "the last export; memory, clients, keys and the time of a ping. With --watch again and again, since the last "
        "look of this command. Changes nothing anywhere. The exit status is 1 where a server gave no numbers, else 0."
    )
    requires_system_checks: tuple[str, ...] = ()  # it is asked when something is wrong, and says itself what is

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "urls",
            nargs="*",
            metavar="URL",
            help=f"{FORMS}; a password in it can be seen in the list of processes (default: METRICS['REDIS_URLS'])",
        )
        parser.add_argument("--watch", action="store_true", help="look again and again; Ctrl-C ends it")
        parser.add_argument(
            "--interval",
            type=seconds,
            metavar="SECONDS",
            help=f"the time between two looks of --watch (default: {INTERVAL_S:g})",
        )
        parser.add_argument(
            "--format", choices=("text", "json"), default="text", help="text, or one line of JSON for each look"
        )

    def handle(self, *, urls: list[str], watch: bool, interval: float | None, format: str, **options: Any) -> None:  # noqa: A002 - the option's name
        if interval is not None and not watch:
            raise CommandError("--interval is the time between the looks of --watch: add --watch, or leave it out.")
        servers = _checked(urls or list(conf.current().redis_urls), given=bool(urls))
        try:
            if watch:
                self._watch(servers, interval or INTERVAL_S, as_json=format == "json")
            else:
                self._once(servers, as_json=format == "json")
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None
        except BrokenPipeError:
            self._let_go()

    def _once(self, urls: Sequence[str], *, as_json: bool) -> None:
        now = datetime.now(UTC)
        seen = since_export(urls, self._baselines(now), now)
        self._put(_json(seen, now) if as_json else "\n\n".join(self._blocks(seen, "the last export")))
        failed = sum(isinstance(each, Failure) for each in seen)
        if failed:
            raise CommandError(f"{failed} of {len(seen)} servers gave no numbers.")

    def _watch(self, urls: Sequence[str], interval_s: float, *, as_json: bool) -> None:
        watcher = Watcher(urls)
        redraws = not as_json and self.stdout.isatty()
        with suppress(KeyboardInterrupt), _terminable():
            while True:
                now = datetime.now(UTC)
                seen = watcher.look(time.monotonic())
                if as_json:
                    self._put(_json(seen, now))
                elif redraws:
                    head = f"{now.astimezone():%H:%M:%S}, every {interval_s:g} s; Ctrl-C ends it"
                    self._put("\n\n".join([CLEAR + head, *self._blocks(seen, "the last look")]))
                else:
                    self._put("\n".join(f"{now.astimezone():%H:%M:%S}  {line(each)}" for each in seen))
                time.sleep(interval_s)

    def _blocks(self, seen: Seen, since: str) -> Iterator[str]:
        for each in seen:
            text = "\n".join(table(each, since))
            yield self.style.ERROR(text) if isinstance(each, Failure) else text

    def _baselines(self, now: datetime) -> baseline.Baselines:
        try:
            return baseline.standing(now)
        except DatabaseTrouble as error:
            self.stderr.write(f"The database did not tell of the last export ({type(error).__name__}).")
            return {}

    def _put(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()  # who reads a pipe wants it now

    def _let_go(self) -> None:
        """Whoever read us has gone (| head): nothing is wrong. What Python still holds goes nowhere, without a word."""
        with suppress(OSError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), self.stdout.fileno())


def _checked(urls: Sequence[str], *, given: bool) -> Sequence[str]:
    """Raises CommandError; an address is told by its place, as a password may be in it."""
    if not urls:
        raise CommandError("METRICS['REDIS_URLS'] is empty, so no server is watched: set it, or name a server's URL.")
    for place, url in enumerate(urls, 1):
        try:
            name_of(url)
        except BadAddress as error:
            of = "the command line" if given else "METRICS['REDIS_URLS']"
            raise CommandError(f"Address {place} of {of} is wrong, {error}: write {FORMS}.") from None
    return urls


def _json(seen: Seen, now: datetime) -> str:
    return json.dumps({"at": now.isoformat(timespec="milliseconds"), "servers": [as_data(each) for each in seen]})


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends a watch as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
