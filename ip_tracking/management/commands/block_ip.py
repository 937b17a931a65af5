"""Blocks networks, or throttles or allows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ip_tracking.management.decisions import (
    actor,
    add_network_arguments,
    named_networks,
    refusals_as_errors,
    refuse_all,
)
from ip_tracking.models import Decision
from ip_tracking.review.networks import FIRST_HOURS, decide, rails, read_duration, usual_hours

DONE = {"block": "Blocked", "throttle": "Throttled", "allow": "Allowed"}


class Command(BaseCommand):
    help = "Blocks networks for a time: all that are named, or none. --kind throttle or allow does that instead."

    def add_arguments(self, parser: CommandParser) -> None:
        add_network_arguments(parser)
        usual = f"{FIRST_HOURS}h, doubled for each block that ran out within 30 days, 7d at most"
        parser.add_argument("--for", dest="duration", help=f"1h, 24h, 7d or forever (default: {usual})")
        parser.add_argument("--kind", choices=Decision.Kind.values, default=Decision.Kind.BLOCK.value)

    def handle(
        self, *, networks: list[str], file: str | None, reason: str, kind: str, duration: str | None, **options: Any
    ) -> None:
        now = datetime.now(UTC)
        places = named_networks(networks, file)
        refuse_all([f"{places[network]}{network}: {why}" for network, why in rails(kind, places, now).items()])
        with refusals_as_errors():
            hours = dict.fromkeys(places, read_duration(duration)) if duration else usual_hours(kind, places, now)
            lifted = decide(kind, hours, actor=actor(options["actor"]), reason=reason, now=now)
        for line in _told(DONE[kind], hours, usual=duration is None):
            self.stdout.write(line)
        for ended, network in lifted:
            self.stdout.write(f"Lifted the {ended} of {network}")


def _told(done: str, hours: Mapping[str, int | None], *, usual: bool) -> Iterator[str]:
    """One line for each length."""
    ordered = sorted(hours, key=lambda network: hours[network] or 0)
    for length, group in groupby(ordered, key=lambda network: hours[network]):
        again = " (not for the first time within 30 days)" if usual and length != FIRST_HOURS else ""
        yield f"{done} {_length(length)}{again}: {', '.join(group)}"


def _length(hours: int | None) -> str:
    if hours is None:
        return "until somebody ends it"
    return f"for {hours // 24}d" if hours > 24 and hours % 24 == 0 else f"for {hours}h"
