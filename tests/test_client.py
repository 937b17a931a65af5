"""WHO is calling? The peer, or what the trusted proxies before us say of theirs."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network

import pytest
from django.http import HttpRequest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ip_tracking.client import Client, holds_proxy, identify, is_loopback, network_of, request_id, steps

PROXY = "10.0.0.1"
VISITOR = "203.0.113.9"
SPOOFED = "198.51.100.1"

Configure = Callable[..., object]


def request(peer: str, **headers: str) -> HttpRequest:
    made = HttpRequest()
    made.META = {"REMOTE_ADDR": peer} | {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return made


def address_of(peer: str, **headers: str) -> str:
    return identify(request(peer, **headers)).address


@pytest.fixture
def behind_proxies(tracking: Configure) -> None:
    tracking(TRUSTED_PROXIES=["10.0.0.0/8", "2001:db8:ffff::/48", "unix"])


@pytest.fixture
def behind_rfc7239(tracking: Configure) -> None:
    tracking(TRUSTED_PROXIES=["10.0.0.0/8", "2001:db8:ffff::/48", "unix"], PROXY_HEADER="Forwarded")


# The peer


def test_without_proxies_the_peer_is_the_client(tracking: Configure) -> None:
    tracking(TRUSTED_PROXIES=[])

    client = identify(request(VISITOR, x_forwarded_for=SPOOFED))

    assert client == Client(VISITOR, VISITOR, through_proxy=False, beyond=1)


@pytest.mark.parametrize("peer", ["11.0.0.1", "9.255.255.255", "2001:db8:fffe::1"])
def test_a_forged_header_from_an_untrusted_peer_is_ignored(behind_proxies: None, peer: str) -> None:
    client = identify(request(peer, x_forwarded_for=SPOOFED))

    assert client.address == peer
    assert not client.through_proxy


def test_an_ipv6_client_is_its_slash_64(tracking: Configure) -> None:
    tracking(TRUSTED_PROXIES=[])

    first = identify(request("2001:db8:1:2:aaaa::1"))
    neighbour = identify(request("2001:DB8:1:2:0:0:0:9"))
    stranger = identify(request("2001:db8:1:3::1"))

    assert first == Client("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64", through_proxy=False)
    assert neighbour.network == first.network
    assert stranger.network == "2001:db8:1:3::/64"


def test_a_mapped_peer_is_the_ipv4_address_it_holds(tracking: Configure) -> None:
    """A dual-stack socket shows IPv4 visitors this way: they must not share one /64."""
    tracking(TRUSTED_PROXIES=[])

    assert identify(request("::ffff:203.0.113.9")) == Client(VISITOR, VISITOR, through_proxy=False)


@pytest.mark.parametrize("peer", ["", "unix:", "@", "not an address", "203.0.113.999", "\uff11.\uff12.\uff13.\uff14"])
def test_a_peer_without_an_address_is_unknown(tracking: Configure, peer: str) -> None:
    tracking(TRUSTED_PROXIES=["10.0.0.0/8"])

    client = identify(request(peer, x_forwarded_for=SPOOFED))

    assert client == Client("unknown", "unknown", through_proxy=False, beyond=1)


def test_a_peer_that_names_garbage_is_unknown_though_unix_is_trusted(behind_proxies: None) -> None:
    assert address_of("garbage", x_forwarded_for=SPOOFED) == "unknown"


def test_a_peer_on_a_unix_socket_is_trusted_by_name(behind_proxies: None) -> None:
    assert identify(request("", x_forwarded_for=VISITOR)) == Client(VISITOR, VISITOR, through_proxy=True)
    assert identify(request("")) == Client("unknown", "unknown", through_proxy=True)


def test_a_request_without_remote_addr_is_unknown(tracking: Configure) -> None:
    assert identify(HttpRequest()).network == "unknown"


# X-Forwarded-For


@pytest.mark.parametrize(
    ("header", "client"),
    [
        (VISITOR, VISITOR),
        (f"{SPOOFED}, {VISITOR}", VISITOR),
        (f"{SPOOFED}, {SPOOFED}, {VISITOR}, 10.0.0.3,10.1.2.3", VISITOR),
        (f"10.0.0.9, {VISITOR}", VISITOR),
        (f"{SPOOFED},{VISITOR}:51234", VISITOR),
        (f"{SPOOFED}, [2001:db8:1::9]:443", "2001:db8:1::9"),
        (f"{SPOOFED}, 2001:db8:1::9%eth0", "2001:db8:1::9"),
        (f"{SPOOFED}, ::ffff:{VISITOR}", VISITOR),
        (f"{VISITOR}, 2001:db8:ffff::7", VISITOR),
        (f"{VISITOR}, ::ffff:10.0.0.3", VISITOR),
        (f"  {VISITOR}\t", VISITOR),
    ],
)
def test_the_right_most_entry_that_is_no_proxy_of_ours_is_the_client(
    behind_proxies: None, header: str, client: str
) -> None:
    """A proxy appends the peer it saw: what stands further left was written by whoever called."""
    assert address_of(PROXY, x_forwarded_for=header) == client


@pytest.mark.parametrize("header", ["10.0.0.7, 10.0.0.8", "10.0.0.7"])
def test_where_all_are_proxies_the_farthest_is_the_client(behind_proxies: None, header: str) -> None:
    assert address_of(PROXY, x_forwarded_for=header) == "10.0.0.7"


def test_a_proxy_without_the_header_is_the_client(behind_proxies: None) -> None:
    assert identify(request(PROXY)) == Client(PROXY, PROXY, through_proxy=True)


@pytest.mark.parametrize(
    "entry", ["", " ", "unknown", "unix:", "_hidden", "1.2.3", "203.0.113.9:99999", "[::1", "\u2603"]
)
def test_an_entry_that_is_no_address_ends_the_walk(behind_proxies: None, entry: str) -> None:
    """What stands left of it was vouched for by nobody, so that the last proxy we know stands for the client."""
    assert address_of(PROXY, x_forwarded_for=f"{SPOOFED}, {entry}, 10.0.0.2") == "10.0.0.2"


@pytest.mark.parametrize("left", ['"', '"evil', "'", "a\\", ";,;,", '"\\"', "\x00", "%s" * 9, "for=" + SPOOFED])
def test_nothing_a_client_writes_swallows_what_the_proxy_adds(behind_proxies: None, left: str) -> None:
    """An open quote, say: taken as the proxy itself, an attacker could be neither limited alone nor blocked."""
    assert address_of(PROXY, x_forwarded_for=f"{left}, {VISITOR}") == VISITOR


def test_a_header_of_100_kilobytes_is_read_from_its_end(behind_proxies: None) -> None:
    assert address_of(PROXY, x_forwarded_for=f"{SPOOFED}, " * 8_000 + VISITOR) == VISITOR
    assert address_of(PROXY, x_forwarded_for="x" * 100_000) == PROXY


@pytest.mark.parametrize(
    "name",
    ["x_real_ip", "true_client_ip", "cf_connecting_ip", "x_client_ip", "forwarded", "x_forwarded", "client_ip", "via"],
)
def test_no_other_header_is_ever_read(behind_proxies: None, name: str) -> None:
    value = f"for={SPOOFED}" if name == "forwarded" else SPOOFED

    assert address_of(PROXY, **{name: value}) == PROXY
    assert address_of(PROXY, x_forwarded_for=VISITOR, **{name: value}) == VISITOR


def test_another_header_is_read_where_the_settings_name_it(tracking: Configure) -> None:
    tracking(TRUSTED_PROXIES=[PROXY], PROXY_HEADER="CF-Connecting-IP")

    assert address_of(PROXY, cf_connecting_ip=VISITOR, x_forwarded_for=SPOOFED) == VISITOR


def test_a_proxy_network_written_as_mapped_ipv6_trusts_ipv4_hops(tracking: Configure) -> None:
    """A hop is unwrapped before it is compared: the network must be too."""
    tracking(TRUSTED_PROXIES=["::ffff:10.0.0.0/104"])

    assert address_of(PROXY, x_forwarded_for=f"{VISITOR}, 10.9.9.9") == VISITOR
    assert address_of("::ffff:10.0.0.1", x_forwarded_for=VISITOR) == VISITOR


def test_changed_settings_are_seen_at_once(tracking: Configure) -> None:
    tracking(TRUSTED_PROXIES=[PROXY])
    assert address_of(PROXY, x_forwarded_for=VISITOR) == VISITOR

    tracking(TRUSTED_PROXIES=["10.0.0.2"])

    assert address_of(PROXY, x_forwarded_for=VISITOR) == PROXY


# Forwarded, RFC 7239


@pytest.mark.parametrize(
    ("header", "client"),
    [
        (f"for={VISITOR}", VISITOR),
        (f'For="{VISITOR}:4711";proto=https;by=10.0.0.1', VISITOR),
        ('proto=http ; for="[2001:db8:1::9]:47011"', "2001:db8:1::9"),
        (f"for={SPOOFED}, for={VISITOR};host=shop.example", VISITOR),
        (f'for={VISITOR};host="a,b", for=10.0.0.2', VISITOR),
        (f'for={VISITOR}, for="[2001:db8:ffff::5]"', VISITOR),
        (f"for={SPOOFED}, for=_hidden, for=10.0.0.2", "10.0.0.2"),
        (f"for={SPOOFED}, proto=https, for=10.0.0.2", "10.0.0.2"),
        (SPOOFED, PROXY),
    ],
)
def test_the_forwarded_header_is_read_where_the_settings_name_it(
    behind_rfc7239: None, header: str, client: str
) -> None:
    assert address_of(PROXY, forwarded=header, x_forwarded_for=SPOOFED) == client


@pytest.mark.parametrize("left", ['for="', '"', 'for="a, b', 'for="\\"', f'for={SPOOFED};host="x'])
def test_an_open_quote_of_a_client_swallows_no_element_of_a_proxy(behind_rfc7239: None, left: str) -> None:
    assert address_of(PROXY, forwarded=f"{left}, for={VISITOR}") == VISITOR
    assert address_of(PROXY, forwarded=f'{left}, for="[2001:db8:1::9]"') == "2001:db8:1::9"


@pytest.mark.parametrize("host", ['"', "\\", ",", '",', '\\"', ";", "for=" + SPOOFED, ',for=1.2.3.4;x="', "," * 8_000])
def test_a_host_that_a_proxy_quotes_does_not_reach_out_of_its_quotes(behind_rfc7239: None, host: str) -> None:
    """A client chooses its Host, and what stands to the left: together they must not make an element of their own."""
    quoted = host.replace("\\", "\\\\").replace('"', '\\"')

    for left in ("", f"for={SPOOFED}", f'for={SPOOFED};x="', f'for={SPOOFED};x="\\'):
        header = f'{left}, for={VISITOR};host="{quoted}";proto="https", for=10.0.0.2'
        assert address_of(PROXY, forwarded=header) == VISITOR


def test_an_element_with_two_addresses_names_none(behind_rfc7239: None) -> None:
    assert address_of(PROXY, forwarded=f"for={SPOOFED};for={VISITOR}") == PROXY


# How many entries stood further left


@pytest.mark.parametrize(
    ("header", "beyond"),
    [
        ("", 0),
        (VISITOR, 0),
        (f", {VISITOR}", 0),
        (f"{SPOOFED}, {VISITOR}", 1),
        (f"{SPOOFED}, {SPOOFED},{VISITOR}, 10.0.0.2", 2),
        ("10.0.0.3, 10.0.0.2", 0),
        (f"{SPOOFED}, unknown, 10.0.0.2", 1),
        (f"{SPOOFED}, " * 9_000 + VISITOR, 9_000),
    ],
)
def test_entries_past_the_end_of_the_walk_are_counted(behind_proxies: None, header: str, beyond: int) -> None:
    assert identify(request(PROXY, x_forwarded_for=header)).beyond == beyond


def test_of_a_peer_nobody_trusts_every_entry_is_past_the_end(behind_proxies: None) -> None:
    assert identify(request(VISITOR, x_forwarded_for=f"{SPOOFED}, 10.0.0.1")).beyond == 2


@pytest.mark.parametrize(
    ("header", "beyond"),
    [(f'for={SPOOFED}, for={VISITOR};host="a,b"', 1), (f'for={VISITOR};host="a,b"', 0), ('for="x, for=10.0.0.2', 1)],
)
def test_quoted_elements_are_counted_too(behind_rfc7239: None, header: str, beyond: int) -> None:
    assert identify(request(PROXY, forwarded=header)).beyond == beyond


# How it came to its answer


def test_the_steps_name_what_was_read_and_who_trusts_it(behind_proxies: None) -> None:
    walked = steps(request(PROXY, x_forwarded_for=f"{SPOOFED}, {VISITOR}:99, 2001:db8:ffff::7"))

    assert [(step.text, str(step.address), step.trusted_by) for step in walked] == [
        (PROXY, PROXY, "10.0.0.0/8"),
        (" 2001:db8:ffff::7", "2001:db8:ffff::7", "2001:db8:ffff::/48"),
        (f" {VISITOR}:99", VISITOR, ""),
    ]


def test_a_hundred_proxies_are_enough(behind_proxies: None) -> None:
    header = f"{VISITOR}, " + "10.0.0.3, " * 5_000 + "10.0.0.2"

    assert len(steps(request(PROXY, x_forwarded_for=header))) == 101
    assert address_of(PROXY, x_forwarded_for=header) == "10.0.0.3"


# Whatever the headers hold

OPEN_SETTINGS = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
HEADER_TEXT = st.one_of(st.text(), st.text(alphabet='0123456789abcdef:.,[]%"\\;= for'))


@OPEN_SETTINGS
@given(peer=HEADER_TEXT, header=HEADER_TEXT)
@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded"])
def test_identify_never_raises_and_its_network_is_always_one(
    tracking: Configure, name: str, peer: str, header: str
) -> None:
    tracking(TRUSTED_PROXIES=["10.0.0.0/8", "unix"], PROXY_HEADER=name)

    for given_peer in (peer, PROXY, ""):
        client = identify(request(given_peer, **{name.replace("-", "_"): header}))

        assert client.network == "unknown" or ip_address(client.address) in ip_network(client.network)
        assert network_of(client.address) == client.network


@OPEN_SETTINGS
@given(left=HEADER_TEXT)
@pytest.mark.parametrize(("name", "entry"), [("X-Forwarded-For", VISITOR), ("Forwarded", f"for={VISITOR}")])
def test_no_header_text_makes_a_client_look_like_another(tracking: Configure, name: str, entry: str, left: str) -> None:
    tracking(TRUSTED_PROXIES=["10.0.0.0/8", "unix"], PROXY_HEADER=name)

    client = identify(request(PROXY, **{name.replace("-", "_"): f"{left}, {entry}"}))

    assert client.address == VISITOR


# Networks


@pytest.mark.parametrize(
    ("network", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::/64", True), ("128.0.0.1", False), ("2001:db8::/64", False)],
)
def test_loopback_is_known_by_any_of_its_addresses(network: str, expected: bool) -> None:
    """The client ::1 is the network ::/64, which no library calls loopback."""
    assert is_loopback(network) is expected


@pytest.mark.parametrize(
    ("network", "expected"),
    [("10.1.1.1", True), ("2001:db8:5::/64", True), ("11.0.0.1", False), ("2001:db8:6::/64", False)],
)
def test_a_network_with_a_proxy_in_it_is_told(tracking: Configure, network: str, expected: bool) -> None:
    tracking(TRUSTED_PROXIES=["10.0.0.0/8", "2001:db8:5::77"])

    assert holds_proxy(network) is expected


# Request ids


def test_a_trusted_proxys_request_id_is_taken(behind_proxies: None) -> None:
    incoming = request(PROXY, x_request_id="4f2a_b.c-d9", x_forwarded_for=VISITOR)

    assert request_id(incoming, identify(incoming)) == "4f2a_b.c-d9"


def test_a_strangers_request_id_is_not(behind_proxies: None) -> None:
    incoming = request(VISITOR, x_request_id="4f2a_b.c-d9")

    made = request_id(incoming, identify(incoming))

    assert re.fullmatch("[0-9a-f]{32}", made)
    assert request_id(incoming, identify(incoming)) != made


@pytest.mark.parametrize(
    "given_id", ["", "short", "x" * 65, "has spaces in", "new\nline-here", "abcdefgh\n", "ünïcode-x", "<script>alert"]
)
def test_an_unsafe_request_id_is_not_taken_even_from_a_proxy(behind_proxies: None, given_id: str) -> None:
    incoming = request(PROXY, x_request_id=given_id)

    assert request_id(incoming, identify(incoming)) != given_id
