"""WHO is calling? A request's peer and one header in; the client's address and network out."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import NamedTuple

from django.http import HttpRequest
from python_ipware.modern.parsers import forwarded_for, parse_ip, unwrap_ipv4_network

from ip_tracking import conf

Address = IPv4Address | IPv6Address

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

UNKNOWN = "unknown"

# A household, a phone or a rented server has a /64 to itself: an IPv6 client is its /64, an IPv4 client its address.
IPV6_PREFIX = 64

# Entries count from the right, so of an overlong header only its end can matter.
HEADER_CHARS = 2_048

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class Client(NamedTuple):
    """Who is calling, as far as the network tells."""

    address: str  # canonical text, or "unknown"
    network: str  # "203.0.113.9" or "2001:db8:1:2::/64": what is limited, flagged and blocked
    through_proxy: bool  # the peer was a trusted proxy


def identify(request: HttpRequest) -> Client:
    """Returns the client of a request. Never raises, whatever the headers hold."""
    settings = conf.get()
    peer = request.META.get("REMOTE_ADDR", "")
    if not settings.trusted_proxies:
        return _of_peer(peer)
    header = settings.proxy_header
    value = request.META.get("HTTP_" + header.upper().replace("-", "_"), "")
    return _behind_proxies(peer, value[-HEADER_CHARS:], header.lower() == "forwarded")


def request_id(request: HttpRequest, client: Client) -> str:
    """Returns the trusted proxy's X-Request-ID, else a new one: a stranger's could fill our logs with its own text."""
    if client.through_proxy:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        if REQUEST_ID.fullmatch(given):
            return str(given)
    # Unique, not secret: a tenth of what a UUID costs. Python seeds a forked child anew.
    return f"{random.getrandbits(128):032x}"


def network_of(address: str) -> str:
    """Returns the network that stands for an address: itself (IPv4), its /64 (IPv6), or "unknown" for no address."""
    parsed = parse_ip(address)
    return UNKNOWN if parsed is None else _client(parsed, through_proxy=False).network


def is_loopback(network: str) -> bool:
    """Is this machine's own address in it? (The /64 of ::1 is no loopback network to `ipaddress`.)"""
    return any(ip_network(network).overlaps(loopback) for loopback in LOOPBACK)


def holds_proxy(network: str) -> bool:
    """Is a trusted proxy's address in it? What befalls this network befalls everybody behind that proxy."""
    return any(ip_network(network).overlaps(proxies) for proxies in _proxies())


@lru_cache(maxsize=8_192)
def _of_peer(peer: str) -> Client:
    address = parse_ip(peer)
    return _client(address, through_proxy=False) if address else Client(UNKNOWN, UNKNOWN, through_proxy=False)


@lru_cache(maxsize=8_192)
def _behind_proxies(peer: str, header: str, rfc7239: bool) -> Client:
    """1. A peer we don't trust is the client. 2. Else walk the header from the right, over trusted proxies only.

    An entry that is no address ends the walk: what stands left of it was not vouched for by a proxy we can name, so
    the nearest trusted hop stands for the client.
    """
    hop = parse_ip(peer)
    if not _is_trusted(hop) or (hop is None and peer):
        return _of_peer(peer)
    for entry in _elements(header) if rfc7239 else reversed(header.split(",")):
        address = parse_ip(forwarded_for(entry) if rfc7239 else entry)
        if address is None:
            break
        hop = address
        if not _is_trusted(address):
            break
    return _client(hop, through_proxy=True) if hop else Client(UNKNOWN, UNKNOWN, through_proxy=True)


def _elements(forwarded: str) -> Iterator[str]:
    """The elements of a Forwarded header from the right; a comma in a quoted string parts nothing.

    Quotes are paired from the right: one that a client opened and never closed must not swallow what a proxy added.
    """
    element = ""
    for part in reversed(forwarded.split(",")):
        element = f"{part},{element}" if element else part
        if element.count('"') % 2 == 0:
            yield element
            element = ""


def _is_trusted(address: Address | None) -> bool:
    if address is None:
        return conf.get().trusts_unix
    return any(address in network for network in _proxies())


@lru_cache(maxsize=1)
def _proxies() -> tuple[conf.Network, ...]:
    """TRUSTED_PROXIES as hops are read: one of ::ffff:10.0.0.0/104 is an IPv4 address by the time it is compared."""
    return tuple(unwrap_ipv4_network(network) for network in conf.get().trusted_networks)


def _client(address: Address, *, through_proxy: bool) -> Client:
    if isinstance(address, IPv4Address):
        return Client(str(address), str(address), through_proxy)
    number = int(address) >> (128 - IPV6_PREFIX) << (128 - IPV6_PREFIX)
    return Client(str(IPv6Address(int(address))), f"{IPv6Address(number)}/{IPV6_PREFIX}", through_proxy)


@conf.on_change
def _forget() -> None:
    _of_peer.cache_clear()
    _behind_proxies.cache_clear()
    _proxies.cache_clear()
