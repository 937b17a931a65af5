"""Switches the whole gate off, into shadow or on again, and says how it stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ip_tracking import conf
from ip_tracking.gate import switch
from ip_tracking.management.decisions import actor, refusals_as_errors
from ip_tracking.models import GateSwitch
from ip_tracking.review.networks import read_duration
from ip_tracking.review.switch import MOST_HOURS, turn
from ip_tracking.visible import visible


class Command(BaseCommand):
    help = (
        "Says whether the gate enforces, since when, until when, by whom and why; or switches it, in force in every "
        "process within two seconds, Redis or no Redis."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        modes = parser.add_mutually_exclusive_group()
        most = f"from 1h to {MOST_HOURS}h"
        modes.add_argument("--off", metavar="TIME", help=f"count and refuse nobody for so long: {most}")
        modes.add_argument("--shadow", metavar="TIME", help=f"count, but refuse nobody for so long: {most}")
        modes.add_argument("--on", action="store_true", help="what the setting says holds again")
        parser.add_argument("--reason", help="why; kept with your name and the time")
        parser.add_argument("--actor", help="who decides (default: your user name here)")

    def handle(self, *, reason: str | None, **options: Any) -> None:
        now = datetime.now(UTC)
        mode = next((mode for mode in GateSwitch.Mode if options[mode]), None)
        if mode is None and reason:
            raise CommandError("Nothing was done: say --off 1h, --shadow 1h or --on as well.")
        if mode is not None:
            with refusals_as_errors():
                hours = None if mode == GateSwitch.Mode.ON else read_duration(options[mode])
                turn(mode, hours, actor=actor(options["actor"]), reason=reason or "", now=now)
        for line in _told(now):
            self.stdout.write(line)


def _told(now: datetime) -> Iterator[str]:
    held, last = GateSwitch.objects.held(now), GateSwitch.objects.first()
    yield f"{switch.sentence(held)}."
    if held is not None:
        yield f"Since {held.at:%Y-%m-%d %H:%M} UTC; after that IP_TRACKING['MODE'] holds: {conf.get().mode}."
    elif last is not None:
        until = f" to {last.until:%H:%M}" if last.until else ""
        said = f"{visible(last.actor)}: {visible(last.reason)}"
        yield f"Last switched: {last.mode}, {last.at:%Y-%m-%d %H:%M}{until} UTC ({said})."
