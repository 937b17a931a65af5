"""A changed limit or rule tried on what really happened, before anybody meets it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ip_tracking import conf
from ip_tracking.auth import logins_at_door
from ip_tracking.conf import BadSetting
from ip_tracking.decorators import NO_MARKS, is_free, marks_of
from ip_tracking.event import Event, to_datetime, to_us
from ip_tracking.gate.decisions import Table
from ip_tracking.management import what_if_report
from ip_tracking.management.what_if_report import Tried
from ip_tracking.middleware import METHODS
from ip_tracking.models import Decision
from ip_tracking.redaction import is_secret
from ip_tracking.replay import changes, flags, refusals, stored_log
from ip_tracking.replay.changes import Change
from ip_tracking.replay.counters import Counters, NoCounters
from ip_tracking.replay.door import House
from ip_tracking.replay.flags import Flags
from ip_tracking.replay.refusals import Refusals
from ip_tracking.routes import every_route

ROWS_PER_TICK = 500  # how often the progress bar moves
INTERRUPTED = 130  # what shells report for Ctrl-C
LONGEST_HOURS = 24 * 366

Watch = Callable[[str, Iterator[Event], int], Iterator[Event]]


class Command(BaseCommand):
    help = (
        "Replays the stored log under a changed policy or rule: who would be newly refused or flagged, who no longer, "
        "and how many known users and good payments are among them. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--policy", action="append", default=[], metavar="NAME=JSON",
            help="""fields over the policy's row, such as site='{"rates": ["600/m"]}'; null drops it""",
        )  # fmt: skip
        parser.add_argument(
            "--rule", action="append", default=[], metavar="RULE.FIELD=VALUE", help="such as probing.threshold=6"
        )
        parser.add_argument("--hours", type=int, default=24, help="how much of the log is replayed (default: 24)")
        parser.add_argument("--until", metavar="TIME", help="where the period ends, such as 2026-11-27T20:00Z")
        parser.add_argument(
            "--store", metavar="URL", help="a Redis or Valkey to count on (default: the gate's, under keys of our own)"
        )
        parser.add_argument("--format", choices=("table", "json"), default="table")

    def handle(self, *, format: str, **options: Any) -> None:  # noqa: A002 - the option's name
        try:
            report = what_if_report.report(_try(**options))
            for line in [json.dumps(report, indent=2)] if format == "json" else what_if_report.lines(report):
                self.stdout.write(line)
        except (BadSetting, NoCounters) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None
        except BrokenPipeError:
            return  # whoever read us has gone (| head): nothing is wrong


def _try(*, policy: list[str], rule: list[str], hours: int, until: str | None, store: str | None, **_: Any) -> Tried:
    change = changes.read(policy, rule, is_secret)
    start_us, end_us = _period(hours, until, datetime.now(UTC))
    rows = stored_log.count(start_us, end_us)
    if not rows:
        raise CommandError(
            f"No request is stored from {to_datetime(start_us):%Y-%m-%d %H:%M} to {to_datetime(end_us):%Y-%m-%d %H:%M} "
            "UTC. Choose a period with --hours and --until."
        )
    began = perf_counter()
    with _progress() as watch:
        refused = _refusals(change, start_us, end_us, store, watch) if change.policies else Refusals()
        flagged = _flags(change, start_us, end_us, watch) if change.rules else Flags((), ())
    return Tried(change, start_us, end_us, rows, perf_counter() - began, refused, flagged)


def _refusals(change: Change, start_us: int, end_us: int, store: str | None, watch: Watch) -> Refusals:
    earlier_us = refusals.earlier_us(change)
    events = stored_log.requests(start_us - earlier_us, end_us)
    total = stored_log.count(start_us - earlier_us, end_us)
    now = datetime.now(UTC)
    allow_list = Table(list(Decision.objects.standing(now).filter(kind=Decision.Kind.ALLOW)))
    with Counters(store or conf.get().store_url, earlier_us) as counters:
        return refusals.find(
            watch("policies", events, total),
            start_us,
            change,
            _house(),
            counters,
            lambda network: allow_list.find(network, now) is not None,
        )


def _flags(change: Change, start_us: int, end_us: int, watch: Watch) -> Flags:
    read_from_us = flags.read_from_us(start_us, change)
    total = stored_log.count_telling(read_from_us, end_us)
    return flags.find(watch("rules", stored_log.telling(read_from_us, end_us), total), start_us, change)


def _period(hours: int, until: str | None, now: datetime) -> tuple[int, int]:
    if not 1 <= hours <= LONGEST_HOURS:
        raise CommandError(f"--hours {hours} is no period; write a number from 1 to {LONGEST_HOURS}.")
    try:
        end = parse_datetime(until) if until else now
        if end is not None and end.tzinfo is not None:
            return to_us(end - timedelta(hours=hours)), to_us(end)
    except (ValueError, OverflowError):  # well formed, and no such day; or before there were any
        pass
    raise CommandError(f"--until {until!r} is no time with its zone; write 2026-11-27T20:00Z.")


def _house() -> House:
    views = {route.name: route.view for route in every_route()}

    def marks(route: str, method: str) -> frozenset[str] | None:
        view = views.get(route)
        if view is None:
            return NO_MARKS
        return None if is_free(view) else marks_of(view, method)

    return House(marks, METHODS, logins_at_door())


@contextmanager
def _progress() -> Iterator[Watch]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:

        def watch(what: str, events: Iterator[Event], total: int) -> Iterator[Event]:
            task = progress.add_task(what, total=total)
            for number, event in enumerate(events):
                if number % ROWS_PER_TICK == 0:
                    progress.update(task, completed=number)
                yield event

        yield watch
