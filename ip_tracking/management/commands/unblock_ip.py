"""Ends the decisions on networks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ip_tracking.management.decisions import actor, add_network_arguments, named_networks, refusals_as_errors
from ip_tracking.review.networks import lift


class Command(BaseCommand):
    help = "Ends every decision (block, throttle, allow) on exactly these networks."

    def add_arguments(self, parser: CommandParser) -> None:
        add_network_arguments(parser)

    def handle(self, *, networks: list[str], file: str | None, reason: str, **options: Any) -> None:
        wanted = named_networks(networks, file)
        with refusals_as_errors():
            ended = lift(wanted, actor=actor(options["actor"]), reason=reason, now=datetime.now(UTC))
        for network, count in ended.items():
            self.stdout.write(
                f"{network}: {count} decision{'' if count == 1 else 's'} ended"
                if count
                else f"{network}: nothing stood"
            )
