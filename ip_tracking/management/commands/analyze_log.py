"""Who in this access log is suspicious, why, and by which lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ip_tracking import cases
from ip_tracking.detection.finding import Finding
from ip_tracking.detection.rules import RULES
from ip_tracking.event import Event, to_datetime
from ip_tracking.replay.engine import Replay, Suspect
from ip_tracking.replay.formats import FORMATS, Parse
from ip_tracking.replay.log_file import LogFile, UnreadableLog, opened, refuse_impossible
from ip_tracking.visible import visible

TITLES = {rule.name: rule.title for rule in RULES}
REQUEST_CHARS = 100  # of a request in the table; JSON has the whole of what is kept
LINES_SHOWN = 3  # of a finding's evidence in the table
SOURCE_CHARS = 200  # what a case keeps of where it came from
LINES_PER_TICK = 2_000  # how often the progress bar moves
INTERRUPTED = 130  # what shells report for Ctrl-C


class Command(BaseCommand):
    help = "Lists suspicious addresses in access logs (common, combined or JSON; plain or .gz; - for standard input)."
    requires_system_checks: tuple[str, ...] = ()  # a log is read the same whatever the project's settings are

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="an access log; - is standard input")
        parser.add_argument(
            "--format", choices=("table", "json"), default="table", help="how to print (default: table)"
        )
        parser.add_argument("--log-format", choices=FORMATS, default="auto", help="of the logs (default: line by line)")
        parser.add_argument("--save", action="store_true", help="file what is found as cases, for review")

    def handle(self, *, files: list[str], format: str, log_format: str, save: bool, **options: Any) -> None:  # noqa: A002 - the option's name
        try:
            self._analyze(files, format, FORMATS[log_format], save=save)
        except UnreadableLog as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None
        except BrokenPipeError:
            return  # whoever read us has gone (| head): nothing is wrong

    def _analyze(self, files: list[str], format: str, parse: Parse, *, save: bool) -> None:  # noqa: A002
        began = perf_counter()
        replay = _read(files, parse)
        suspects = [suspect for suspect in replay.suspects() if suspect.is_flagged]
        seconds = perf_counter() - began
        if save:
            source = ", ".join(files)[:SOURCE_CHARS]
            cases.file([finding for suspect in suspects for finding in suspect.findings], source=source)
        self._warn_of_unparsed(replay)
        if format == "json":
            self._print_json(replay, suspects, seconds)
        else:
            self._print_table(replay, suspects, seconds)
        self.stdout.flush()

    def _warn_of_unparsed(self, replay: Replay) -> None:
        if not replay.unparsed:
            return
        self.stderr.write(f"{replay.unparsed} of {replay.lines} lines are in no format that was looked for:")
        for place, text in replay.unparsed_shown:
            self.stderr.write(f"  {visible(place)}  {visible(text, REQUEST_CHARS)}")

    def _print_json(self, replay: Replay, suspects: list[Suspect], seconds: float) -> None:
        result = {
            "lines": replay.lines,
            "parsed": replay.parsed,
            "unparsed": replay.unparsed,
            "networks_closed": replay.networks_closed,
            "seconds": round(seconds, 3),
            "flagged": suspects,
        }
        self.stdout.ending = ""  # piece by piece: a hundred thousand suspects at once would need a gigabyte
        json.dump(result, self.stdout, indent=2, default=_as_json)
        self.stdout.write("\n")

    def _print_table(self, replay: Replay, suspects: list[Suspect], seconds: float) -> None:
        for suspect in suspects:
            head = f"{suspect.network}  {suspect.severity.value}  score {suspect.score}"
            self.stdout.write(self.style.MIGRATE_HEADING(head))
            for finding in suspect.findings:
                self.stdout.write(f"  {_told(finding)}")
                for event in finding.evidence[:LINES_SHOWN]:
                    self.stdout.write(f"    {visible(event.request_id)}  {visible(_request(event), REQUEST_CHARS)}")
            self.stdout.write("")
        if replay.networks_closed:
            closed = f"{replay.networks_closed:,} networks were judged before the end, to make room"
            self.stdout.write(f"{closed}: what one did before and after is not added up")
        speed = f"{replay.lines / seconds:,.0f} lines/s" if seconds else ""
        understood = f"{replay.parsed:,} of {replay.lines:,} lines understood"
        self.stdout.write(f"{len(suspects)} suspicious, {understood}, {seconds:.1f} s {speed}")


def _read(files: list[str], parse: Parse) -> Replay:
    for path in files:
        refuse_impossible(path)
    replay = Replay(parse=parse)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        for path in files:
            with opened(path) as log:
                task = progress.add_task(visible(Path(log.name).name, 40), total=log.size or None)
                replay.read(_ticking(log, progress, task), log.name)
    return replay


def _ticking(log: LogFile, progress: Progress, task: TaskID) -> Iterator[str]:
    for number, line in enumerate(log.lines()):
        if number % LINES_PER_TICK == 0:
            progress.update(task, completed=log.position)
        yield line


def _told(finding: Finding) -> str:
    first, last = to_datetime(finding.first_seen_us), to_datetime(finding.last_seen_us)
    return (
        f"{finding.rule}: {TITLES[finding.rule]}, {finding.count} in {finding.window_s} s "
        f"(from {finding.threshold} on), {first:%Y-%m-%d %H:%M:%S} to {last:%H:%M:%S} UTC"
    )


def _request(event: Event) -> str:
    query = f"?{event.query}" if event.query else ""
    return f"{event.method} {event.path}{query} {event.status}".lstrip()


def _as_json(suspect: Suspect) -> dict[str, Any]:
    return {
        "address": suspect.network,
        "severity": suspect.severity.value,
        "score": suspect.score,
        "findings": [_finding_as_json(finding) for finding in suspect.findings],
    }


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "count": finding.count,
        "threshold": finding.threshold,
        "first_seen": to_datetime(finding.first_seen_us).isoformat(),
        "last_seen": to_datetime(finding.last_seen_us).isoformat(),
        "evidence": [
            {"line": event.request_id, "at": event.at.isoformat(), "request": _request(event), "shows": event.symptoms}
            for event in finding.evidence
        ],
    }
