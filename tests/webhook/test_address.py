"""Where the webhook may go, and where it never goes."""

from __future__ import annotations

import socket
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from ip_tracking.webhook.address import Unsafe, addresses_of, is_allowed, is_public

PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::200e"]

NOT_PUBLIC = {
    "this machine": ["127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::"],  # noqa: S104 - told, not bound to
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fc00::1"],
    "link-local": ["169.254.1.1", "fe80::1", "fe80::1%1"],
    "metadata": ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"],
    "shared": ["100.64.0.1"],
    "multicast": ["224.0.0.1", "239.1.1.1", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "2001:db8::1", "fec0::1", "4000::1"],
    "tunnels": ["2002:7f00:1::", "2002:a00:1::1", "2001:0:a00:1::1"],
    "an IPv4 address inside": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1"],
    "an IPv4 address behind NAT64": ["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1"],
}


def resolver(*addresses: str) -> Any:
    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return lookup


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(ip_address(address))
    assert is_allowed(ip_address(address), (), plain=False)


@pytest.mark.parametrize("address", [address for kind in NOT_PUBLIC.values() for address in kind])
def test_nothing_else_is(address: str) -> None:
    assert not is_allowed(ip_address(address), (), plain=False)
    with pytest.raises(Unsafe, match="which is not public"):
        addresses_of("alerts.example.com", 443, (), plain=False, lookup=resolver(address))


def test_a_name_with_one_private_address_among_public_ones_is_refused() -> None:
    with pytest.raises(Unsafe, match=r"alerts\.example\.com is at 10\.0\.0\.7"):
        addresses_of("alerts.example.com", 443, (), plain=False, lookup=resolver("1.1.1.1", "10.0.0.7"))


def test_networks_of_ones_own_are_named_one_by_one() -> None:
    own = [ip_network("10.1.2.0/24")]

    assert addresses_of("in.example", 80, own, plain=True, lookup=resolver("10.1.2.3")) == ["10.1.2.3"]
    assert addresses_of("in.example", 443, own, plain=False, lookup=resolver("::ffff:10.1.2.3")) == ["::ffff:10.1.2.3"]
    with pytest.raises(Unsafe):
        addresses_of("in.example", 443, own, plain=False, lookup=resolver("10.1.3.3"))


def test_plain_http_goes_to_networks_of_ones_own_only() -> None:
    with pytest.raises(Unsafe):
        addresses_of("alerts.example.com", 80, [ip_network("10.0.0.0/8")], plain=True, lookup=resolver("1.1.1.1"))


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost"])
def test_this_machine_by_another_spelling_is_this_machine(spelling: str) -> None:
    """As the C library reads it, which is what would have been connected to."""
    with pytest.raises(Unsafe):
        addresses_of(spelling, 443, (), plain=False, lookup=socket.getaddrinfo)
