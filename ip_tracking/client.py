"""WHO is calling? A request's peer and one header in; the client's address and network out."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_network
from itertools import islice
from typing import NamedTuple

from django.http import HttpRequest
from python_ipware.modern.parsers import parse_ip, split_unquoted, unwrap_ipv4_network

from ip_tracking import conf

Address = IPv4Address | IPv6Address

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

UNKNOWN = "unknown"

# A household, a phone or a rented server has a /64 to itself: an IPv6 client is its /64, an IPv4 client its address.
IPV6_PREFIX = 64

# Longer headers are read all the same, but not kept in the memo, which strangers could fill.
HEADER_CHARS = 2_048

# Nobody has a hundred proxies in a row; a caller within a trusted network could have us walk over thousands.
MOST_HOPS = 100

# A quote that opens or closes a string, and one `name=value` of a Forwarded element, as RFC 7239 has them; of unquoted
# values it is more patient, as proxies write ports and IPv6 addresses there.
QUOTE = re.compile(r'(?<!\\)(?:\\\\)*"')
PAIR = re.compile(r'(?P<name>[^=;,"\\]+)=(?P<value>\s*"(?:[^"\\]|\\.)*"\s*|[^;,"\\]*)')

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class Client(NamedTuple):
    """Who is calling, as far as the network tells."""

    address: str  # canonical text, or "unknown"
    network: str  # "203.0.113.9" or "2001:db8:1:2::/64": what is limited, flagged and blocked
    through_proxy: bool  # the peer was a trusted proxy
    beyond: int = 0  # how many entries of the header stood left of where the walk ended


class Step(NamedTuple):
    """One look of the walk away from the server: first the peer, then the header's entries from the right."""

    text: str  # as it came
    address: Address | None  # what it was read as
    trusted_by: str  # the entry of TRUSTED_PROXIES that it is in; where there is none, the walk ends


def identify(request: HttpRequest) -> Client:
    """Returns the client of a request. Never raises, whatever the headers hold."""
    peer, header = sent(request)
    return _derived(peer, header) if len(header) <= HEADER_CHARS else _derive(peer, header)


def steps(request: HttpRequest) -> list[Step]:
    """Returns how `identify` comes to its answer."""
    return _walk(*sent(request))


def sent(request: HttpRequest) -> tuple[str, str]:
    """What a client is derived from, and nothing else: the peer, and the one header named by PROXY_HEADER."""
    return request.META.get("REMOTE_ADDR", ""), request.META.get(_header().key, "")


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
    return UNKNOWN if parsed is None else _client(parsed).network


def is_loopback(network: str) -> bool:
    """Is this machine's own address in it? (The /64 of ::1 is no loopback network to `ipaddress`.)"""
    return any(ip_network(network).overlaps(loopback) for loopback in LOOPBACK)


def holds_proxy(network: str) -> bool:
    """Is a trusted proxy's address in it? What befalls this network befalls everybody behind that proxy."""
    return any(ip_network(network).overlaps(proxies) for proxies, _ in _proxies())


def _derive(peer: str, header: str) -> Client:
    """The last hop of the walk that has an address is the client."""
    walked = _walk(peer, header)
    hop = walked[-1].address or walked[-2:][0].address
    beyond = _beyond(walked, header) if header else 0
    through_proxy = walked[0].trusted_by != ""
    return _client(hop, through_proxy, beyond) if hop else Client(UNKNOWN, UNKNOWN, through_proxy, beyond)


def _beyond(walked: list[Step], header: str) -> int:
    read = sum([len(step.text) + 1 for step in walked[1:]])
    left = header[: max(0, len(header) - read)]
    return left.count(",") + 1 if left.strip() else 0


_derived = lru_cache(maxsize=8_192)(_derive)


def _walk(peer: str, header: str) -> list[Step]:
    """The peer, and while that is trusted the header's entries from the right, up to the first that no trust covers.

    An entry that is no address ends the walk too: what stands left of it was not vouched for by a proxy we can name, so
    the nearest trusted hop stands for the client.
    """
    address = parse_ip(peer)
    # Garbage is no unix socket, whose peer has no name at all.
    trusted_by = _trust_in(address) if address or not peer else ""
    walked = [Step(peer, address, trusted_by)]
    if not trusted_by or not header:
        return walked
    rfc7239 = _header().rfc7239
    for text in islice(_entries(header, rfc7239), MOST_HOPS):
        address = parse_ip(_for(text) if rfc7239 else text)
        trusted_by = _trust_in(address) if address else ""
        walked.append(Step(text, address, trusted_by))
        if not trusted_by:
            break
    return walked


def _entries(header: str, rfc7239: bool) -> Iterator[str]:
    """The entries from the right."""
    if rfc7239 and '"' in header:
        return _quoted_entries(header)
    return reversed(header.rsplit(",", MOST_HOPS))


def _quoted_entries(header: str) -> Iterator[str]:
    """In Forwarded a comma within a quoted string parts nothing.

    Quotes are paired from the right: one that a client opened and never closed must not swallow what a proxy added.
    What is left when they don't pair up is no entry.
    """
    end = comma = len(header)
    quotes = 0
    while comma >= 0:
        start = header.rfind(",", 0, comma)
        if header.find('"', start + 1, comma) >= 0:
            quotes += len(QUOTE.findall(header, start + 1, comma))
        if quotes % 2 == 0:
            yield header[start + 1 : end]
            end = start
        comma = start


def _for(element: str) -> str:
    """Returns the `for` of one Forwarded element; "" where it has none or two, or where any of it is written wrong.

    A client chooses part of what a proxy quotes, such as host: in strict grammar it cannot reach across the quotes.
    """
    named = []
    for pair in split_unquoted(element, ";"):
        match = PAIR.fullmatch(pair)
        if match is None and pair.strip():
            return ""
        if match and match["name"].strip().lower() == "for":
            named.append(match["value"])
    return named[0] if len(named) == 1 else ""


def _trust_in(address: Address | None) -> str:
    """Returns the entry of TRUSTED_PROXIES that an address is in, "" where there is none."""
    if address is None:
        return conf.UNIX if conf.get().trusts_unix else ""
    for network, entry in _proxies():
        if address in network:
            return entry
    return ""


@lru_cache(maxsize=1)
def _proxies() -> tuple[tuple[conf.Network, str], ...]:
    """TRUSTED_PROXIES as hops are read: one of ::ffff:10.0.0.0/104 is an IPv4 address by the time it is compared."""
    settings = conf.get()
    written = (entry for entry in settings.trusted_proxies if entry != conf.UNIX)
    return tuple(
        (unwrap_ipv4_network(network), entry) for network, entry in zip(settings.trusted_networks, written, strict=True)
    )


class Header(NamedTuple):
    """PROXY_HEADER, as it is looked up and read."""

    key: str  # in META
    rfc7239: bool


@lru_cache(maxsize=1)
def _header() -> Header:
    name = conf.get().proxy_header
    return Header("HTTP_" + name.upper().replace("-", "_"), name.lower() == "forwarded")


def _client(address: Address, through_proxy: bool = False, beyond: int = 0) -> Client:
    if isinstance(address, IPv4Address):
        return Client(str(address), str(address), through_proxy, beyond)
    number = int(address) >> (128 - IPV6_PREFIX) << (128 - IPV6_PREFIX)
    return Client(str(IPv6Address(int(address))), f"{IPv6Address(number)}/{IPV6_PREFIX}", through_proxy, beyond)


@conf.on_change
def _forget() -> None:
    _derived.cache_clear()
    _proxies.cache_clear()
    _header.cache_clear()
