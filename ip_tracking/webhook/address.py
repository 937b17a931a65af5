"""Which addresses the webhook may go to: public ones, and networks of one's own that WEBHOOK_NETWORKS names.

Else whoever can set the URL, or answers for its name, has our worker knock at doors that only we can reach.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from ip_tracking.conf import Network

Address = IPv4Address | IPv6Address
# As socket.getaddrinfo: tests give another one.
Lookup = Callable[..., list[Any]]

# What Python 3.11 takes for public and is not: IETF's own, where one cloud keeps its metadata; another cloud's.
NOT_PUBLIC = (ip_network("192.0.0.0/24"), ip_network("168.63.129.16/32"))

UNICAST = ip_network("2000::/3")
TUNNELS = (ip_network("2001::/23"), ip_network("2002::/16"), ip_network("3fff::/20"))  # and documentation
NAT64 = IPv6Network("64:ff9b::/96")


class Unsafe(ValueError):
    """A host that nothing is sent to: one of its addresses is not public."""


def addresses_of(host: str, port: int, networks: Iterable[Network], *, plain: bool, lookup: Lookup) -> list[str]:
    """Looks a host up, once; raises Unsafe where a single one of its addresses may not be spoken to, and OSError."""
    found = dict.fromkeys(entry[4][0] for entry in lookup(host, port, type=socket.SOCK_STREAM))
    for text in found:
        if not is_allowed(ip_address(text), networks, plain=plain):
            raise Unsafe(f"{host} is at {text}, which is not public and not in WEBHOOK_NETWORKS")
    return list(found)


def is_allowed(address: Address, networks: Iterable[Network], *, plain: bool) -> bool:
    """`plain`: by http, which goes to networks of one's own only."""
    address = _meant(address)
    if any(address in network for network in networks):
        return True
    return is_public(address) and not plain


def is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not _is_in(address, NOT_PUBLIC)
    return address in UNICAST and address.is_global and not _is_in(address, TUNNELS)


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
