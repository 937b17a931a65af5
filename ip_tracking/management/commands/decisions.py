"""Lists the decisions in force."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ip_tracking.models import Decision
from ip_tracking.visible import visible


class Command(BaseCommand):
    help = "Lists the decisions in force: for people, as JSON, or what is blocked for the edge (plain, nginx)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=list(FORMATS), default="table")

    def handle(self, *, format: str, **options: Any) -> None:  # noqa: A002 - the option's name
        standing = Decision.objects.standing(datetime.now(UTC)).order_by("kind", "network")
        for line in FORMATS[format](standing):
            self.stdout.write(line)


def _table(standing: Iterable[Decision]) -> list[str]:
    rows = [f"{d.kind:9} {d.network:24} {_until(d):24} {d.actor}: {visible(d.reason)}" for d in standing]
    return rows or ["No decision is in force."]


def _until(decision: Decision) -> str:
    return f"until {decision.until:%Y-%m-%d %H:%M} UTC" if decision.until else "until somebody ends it"


def _json(standing: Iterable[Decision]) -> list[str]:
    return [
        json.dumps(
            [
                {
                    "kind": d.kind,
                    "network": d.network,
                    "until": d.until.isoformat() if d.until else None,
                    "reason": d.reason,
                    "actor": d.actor,
                    "created_at": d.created_at.isoformat(),
                }
                for d in standing
            ],
            indent=2,
        )
    ]


def _blocked(standing: Iterable[Decision]) -> list[str]:
    return [d.network for d in standing if d.kind == Decision.Kind.BLOCK]


def _nginx(standing: Iterable[Decision]) -> list[str]:
    """For an `include` in a server block: the first line that fits decides, so who is allowed stands first."""
    lines = sorted((d for d in standing if d.kind != Decision.Kind.THROTTLE), key=lambda d: d.kind)
    return [f"{'allow' if d.kind == Decision.Kind.ALLOW else 'deny'} {d.network};" for d in lines]


FORMATS = {"table": _table, "json": _json, "plain": _blocked, "nginx": _nginx}
