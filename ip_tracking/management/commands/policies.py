"""Shows the table of limits at work, and what is missing in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ip_tracking import coverage
from ip_tracking.conf import BadSetting
from ip_tracking.gate.policies import EVERYTHING, Policy, table
from ip_tracking.models import PolicyHour, RequestLog
from ip_tracking.routes import every_route

COLUMNS = "{:16} {:8} {:12} {:8} {:>10} {:>24} {:>24}  {}"
NAMED_ROUTES = 4


class Command(BaseCommand):
    help = (
        "Prints what each policy covers, how often it was asked, whom it refused or would have refused. "
        "Exits with 1 where a policy guards nothing, or a sensitive route has none."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=7, help="the period that is counted (default: 7)")
        parser.add_argument("--format", choices=["table", "json"], default="table")

    def handle(self, *, days: int, format: str, **options: Any) -> None:  # noqa: A002 - the option's name
        if days < 1:
            raise CommandError(f"--days {days}: the period is at least one day.")
        try:
            report = _report(datetime.now(UTC), days)
        except BadSetting as error:
            raise CommandError(str(error)) from error
        lines = [json.dumps(report, indent=2)] if format == "json" else _lines(report)
        for line in lines:
            self.stdout.write(line)
        if report["dead"] or report["unguarded"]:
            raise SystemExit(1)


def _report(now: datetime, days: int) -> dict[str, Any]:
    since = now - timedelta(days=days)
    asked, last = PolicyHour.objects.evaluated_since(since), PolicyHour.objects.last_evaluated()
    routes = every_route()
    return {
        "days": days,
        "policies": [
            {
                **_row(policy),
                "covers": coverage.covered(policy, routes),
                "evaluated": asked.get(policy.name, 0),
                "last_evaluated": last[policy.name].isoformat() if policy.name in last else None,
                "refused": RequestLog.objects.refused_by(policy.name, since),
                "would_refuse": RequestLog.objects.shadowed_by(policy.name, since),
            }
            for policy in table()
        ],
        "dead": [found._asdict() for found in coverage.dead() + coverage.quiet(now)],
        "unguarded": [found._asdict() for found in coverage.unguarded()],
    }


def _row(policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "mode": policy.mode,
        "rates": [str(rate) for rate in policy.rates],
        "key": policy.key,
        "counts": policy.counts,
        "cost": policy.cost,
        "store_away": policy.store_away,
        "why": policy.why,
    }


def _lines(report: dict[str, Any]) -> Iterator[str]:
    yield f"The last {report['days']} day(s); refused and would refuse: requests (networks, users)."
    yield COLUMNS.format("policy", "mode", "rates", "by", "asked", "refused", "would refuse", "covers")
    for row in report["policies"]:
        rates, covers = ", ".join(row["rates"]), _some(row["covers"])
        refused, would = _people(row["refused"]), _people(row["would_refuse"])
        yield COLUMNS.format(row["name"], row["mode"], rates, row["key"], row["evaluated"], refused, would, covers)
    for found in report["dead"]:
        yield f"DEAD: {found['policy']}: {found['why']}"
    for found in report["unguarded"]:
        yield f"UNGUARDED: {found['route']}: {found['why']}"


def _people(counts: dict[str, int]) -> str:
    return f"{counts['requests']} ({counts['networks']}, {counts['users']})" if counts["requests"] else "-"


def _some(names: Iterable[str]) -> str:
    names = list(names)
    if names == [EVERYTHING]:
        return "everything"
    more = len(names) - NAMED_ROUTES
    return ", ".join(names[:NAMED_ROUTES]) + (f" and {more} more" if more > 0 else "") or "nothing yet"
