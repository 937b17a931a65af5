"""WHO is calling? A request's peer and one header in; the client's address and network out."""

from __future__ import annotations

import re
import uuid
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from django.http import HttpRequest
from python_ipware.modern.parsers import forwarded_for, parse_ip, split_unquoted

from ip_tracking import conf

Address = IPv4Address | IPv6Address

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
    return uuid.uuid4().hex


def network_of(address: str) -> str:
    """Returns the network that stands for an address: itself (IPv4), its /64 (IPv6), or "unknown" for no address."""
    parsed = parse_ip(address)
    return UNKNOWN if parsed is None else _client(parsed, through_proxy=False).network


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
    for entry in reversed(split_unquoted(header, ",") if header else []):
        address = parse_ip(forwarded_for(entry) if rfc7239 else entry)
        if address is None:
            break
        hop = address
        if not _is_trusted(address):
            break
    return _client(hop, through_proxy=True) if hop else Client(UNKNOWN, UNKNOWN, through_proxy=True)


def _is_trusted(address: Address | None) -> bool:
    settings = conf.get()
    if address is None:
        return settings.trusts_unix
    return any(address.version == network.version and address in network for network in settings.trusted_networks)


def _client(address: Address, *, through_proxy: bool) -> Client:
    if isinstance(address, IPv4Address):
        return Client(str(address), str(address), through_proxy)
    number = int(address) >> (128 - IPV6_PREFIX) << (128 - IPV6_PREFIX)
    return Client(str(IPv6Address(int(address))), f"{IPv6Address(number)}/{IPV6_PREFIX}", through_proxy)


@conf.on_change
def _forget() -> None:
    _of_peer.cache_clear()
    _behind_proxies.cache_clear()
