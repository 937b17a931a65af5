"""Lists the decisions in force."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ip_tracking import conf
from ip_tracking.gate import switch
from ip_tracking.gate.decisions import is_within
from ip_tracking.models import Decision, GateSwitch
from ip_tracking.visible import visible


class Command(BaseCommand):
    help = "Lists the decisions in force: for people, as JSON, or what is blocked for the edge (plain, nginx)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=list(FORMATS), default="table")

    def handle(self, *, format: str, **options: Any) -> None:  # noqa: A002 - the option's name
        now = datetime.now(UTC)
        standing = list(Decision.objects.standing(now).order_by("kind", "network"))
        held = GateSwitch.objects.held(now)
        if (held.mode if held else conf.get().mode) != switch.ENFORCE:
            self.stderr.write(f"{switch.sentence(held)}: nobody is refused, and the edge is told of no block.")
            standing = [] if format in OF_THE_EDGE else standing
        for line in FORMATS[format](standing):
            self.stdout.write(line)


def _table(standing: Sequence[Decision]) -> list[str]:
    rows = [
        f"{d.kind:9} {d.network:24} {_until(d):24} {visible(d.actor)}: {visible(d.reason, most=500)}" for d in standing
    ]
    return rows or ["No decision is in force."]


def _until(decision: Decision) -> str:
    return f"until {decision.until:%Y-%m-%d %H:%M} UTC" if decision.until else "until somebody ends it"


def _json(standing: Sequence[Decision]) -> list[str]:
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


def _networks(standing: Sequence[Decision], kind: str) -> list[conf.Network]:
    """Parsed again, so that nothing but a network reaches a configuration file."""
    return [ip_network(d.network) for d in standing if d.kind == kind]


def _blocked(standing: Sequence[Decision]) -> list[str]:
    """What is blocked and not allowed: a plain list has no order that could say who passes all the same."""
    left = set(_networks(standing, Decision.Kind.BLOCK))
    for allowed in _networks(standing, Decision.Kind.ALLOW):
        left = {part for network in left for part in _without(network, allowed)}
    return [_plain(network) for network in sorted(left, key=_place)]


def _without(network: conf.Network, allowed: conf.Network) -> list[conf.Network]:
    if is_within(network, allowed):
        return []
    if is_within(allowed, network):
        return list(network.address_exclude(allowed))  # type: ignore[arg-type]  # of one version, as is_within says
    return [network]


def _nginx(standing: Sequence[Decision]) -> list[str]:
    """For an `include` in a server block: the first line that fits decides, so who is allowed stands first."""
    words = (("allow", Decision.Kind.ALLOW), ("deny", Decision.Kind.BLOCK))
    ordered = [(word, sorted(_networks(standing, kind), key=_place)) for word, kind in words]
    return [f"{word} {_plain(network)};" for word, networks in ordered for network in networks]


def _plain(network: conf.Network) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def _place(network: conf.Network) -> tuple[int, int, int]:
    return network.version, int(network.network_address), network.prefixlen


FORMATS: dict[str, Callable[[Sequence[Decision]], list[str]]] = {
    "table": _table,
    "json": _json,
    "plain": _blocked,
    "nginx": _nginx,
}
OF_THE_EDGE = ("plain", "nginx")
