"""Blocks networks, or throttles or allows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ip_tracking.management.decisions import actor, add_network_arguments, named_networks, refusals_as_errors
from ip_tracking.models import Decision
from ip_tracking.review.networks import decide, read_duration

DONE = {"block": "Blocked", "throttle": "Throttled", "allow": "Allowed"}


class Command(BaseCommand):
    help = "Blocks networks for a time: all that are named, or none. --kind throttle or allow does that instead."

    def add_arguments(self, parser: CommandParser) -> None:
        add_network_arguments(parser)
        parser.add_argument("--for", dest="duration", default="24h", help="1h, 24h, 7d or forever (default: 24h)")
        parser.add_argument("--kind", choices=Decision.Kind.values, default=Decision.Kind.BLOCK.value)

    def handle(self, *, networks: list[str], file: str | None, reason: str, **options: Any) -> None:
        wanted = named_networks(networks, file)
        with refusals_as_errors():
            done = decide(
                options["kind"],
                wanted,
                actor=actor(options["actor"]),
                reason=reason,
                hours=read_duration(options["duration"]),
                now=datetime.now(UTC),
            )
        until = "until somebody ends it" if options["duration"] == "forever" else f"for {options['duration']}"
        self.stdout.write(f"{DONE[options['kind']]} {until}: {', '.join(done)}")
