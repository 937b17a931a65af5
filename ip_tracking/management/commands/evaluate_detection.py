"""How well the rules do on logs whose attackers are known."""

from __future__ import annotations

import json
from collections import defaultdict
from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ip_tracking.replay.formats import FORMATS
from ip_tracking.replay.labelled import BrokenCase, cases_in
from ip_tracking.replay.log_file import UnreadableLog
from ip_tracking.replay.scoring import Named, Score, score
from ip_tracking.visible import visible

FAMILY_CHARS = 24
CANNOT_SCORE = 2  # not to be taken for a benign address that was flagged, which is 1


class Command(BaseCommand):
    help = "Scores the rules on logs with known attackers; exits with 1 where a benign address is flagged."
    requires_system_checks: tuple[str, ...] = ()  # a log is read the same whatever the project's settings are

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", metavar="DIR", help="the folder of groups of cases, see docs/evaluating.md")
        parser.add_argument(
            "--format", choices=("table", "json"), default="table", help="how to print (default: table)"
        )
        parser.add_argument("--log-format", choices=FORMATS, default="auto", help="of the logs (default: line by line)")

    def handle(self, *, folder: str, format: str, log_format: str, **options: Any) -> None:  # noqa: A002 - the option's name
        began = perf_counter()
        families: defaultdict[str, Score] = defaultdict(Score)
        try:
            for case in cases_in(folder):
                families[case.family] += score(case, FORMATS[log_format])
        except (BrokenCase, UnreadableLog) as error:
            raise CommandError(visible(str(error), 1_000), returncode=CANNOT_SCORE) from error
        everything = sum(families.values(), Score())
        lines_per_s = round(everything.lines / (perf_counter() - began))
        if format == "json":
            self._print_json(families, everything, lines_per_s)
        else:
            self._print_table(families, everything, lines_per_s)
        if everything.wrong:
            raise SystemExit(1)

    def _print_json(self, families: dict[str, Score], everything: Score, lines_per_s: int) -> None:
        by_family = {family: _as_json(families[family]) for family in sorted(families)}
        result = {"families": by_family, "all": _as_json(everything), "lines_per_s": lines_per_s}
        self.stdout.write(json.dumps(result, indent=2))

    def _print_table(self, families: dict[str, Score], everything: Score, lines_per_s: int) -> None:
        self.stdout.write(_columns("family", "attackers found", "benign flagged", "lines parsed"))
        for family in sorted(families):
            self.stdout.write(_row(family, families[family]))
        self.stdout.write(_row("all", everything))
        self._print_named("missed", everything.missed)
        self._print_named("benign, but flagged", everything.wrong)
        self.stdout.write(f"\n{everything.lines:,} lines, {lines_per_s:,} lines/s")

    def _print_named(self, title: str, addresses: list[Named]) -> None:
        if not addresses:
            return
        self.stdout.write(self.style.MIGRATE_HEADING(f"\n{title}"))
        for case, address in addresses:
            self.stdout.write(f"  {visible(case)}  {visible(address)}")


def _row(family: str, score: Score) -> str:
    found = f"{_share(score.found, score.attackers)} {score.found} of {score.attackers}"
    parsed = f"{_share(score.parsed, score.parsable)} {score.parsed} of {score.parsable}"
    flagged = f"{len(score.wrong)} of {score.benign}"
    return _columns(family, found, flagged, parsed)


def _columns(family: str, found: str, flagged: str, parsed: str) -> str:
    return f"{visible(family, FAMILY_CHARS):{FAMILY_CHARS}} {found:>20} {flagged:>16} {parsed:>24}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _as_json(score: Score) -> dict[str, Any]:
    return {
        "attackers": score.attackers,
        "found": score.found,
        "benign": score.benign,
        "benign_flagged": len(score.wrong),
        "parsable": score.parsable,
        "parsed": score.parsed,
        "missed": [named._asdict() for named in score.missed],
        "wrong": [named._asdict() for named in score.wrong],
    }
