"""Address ranges that any database can compare: two fixed-width hexadecimal texts, first and last address.

PostgreSQL's `inet` would do it better, but the same models run on SQLite and MySQL. IPv4 lives at ::ffff:0:0/96.
"""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network
from typing import NamedTuple

HEX_DIGITS = 32
MAPPED = 0xFFFF << 32


class Span(NamedTuple):
    first: str
    last: str


def span_of(network: str) -> Span:
    """Returns the range of an address or CIDR; raises ValueError for anything else."""
    parsed = ip_network(network.strip(), strict=False)
    base = MAPPED if isinstance(parsed, IPv4Network) else 0
    return Span(_hex(base + int(parsed.network_address)), _hex(base + int(parsed.broadcast_address)))


def _hex(number: int) -> str:
    return f"{number:0{HEX_DIGITS}x}"
