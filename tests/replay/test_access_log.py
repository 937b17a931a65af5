"""Lines of real servers' shapes, with addresses from the documentation ranges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ip_tracking.event import US, to_datetime
from ip_tracking.replay.access_log import parse

COMBINED = (
    '203.0.113.9 - - [09/Oct/2025:12:00:00 +0000] "GET /api/products/?page=2 HTTP/1.1" 200 512 '
    '"https://shop.example/" "Mozilla/5.0"\n'
)


def test_a_combined_line_becomes_an_event():
    event, referer = parse(COMBINED)

    assert to_datetime(event.at_us).isoformat() == "2025-10-09T12:00:00+00:00"
    assert (event.address, event.network) == ("203.0.113.9", "203.0.113.9")
    assert (event.method, event.path, event.query, event.status) == ("GET", "/api/products/", "page=2", 200)
    assert event.user_agent == "Mozilla/5.0"
    assert referer == "https://shop.example/"


STAMP = '[09/Oct/2025:12:00:00 +0000] "GET /a HTTP/1.1" 404 7'
SHAPES = {
    "common": f"203.0.113.9 - - {STAMP}",
    "common, trailing blank": f"203.0.113.9 - - {STAMP} \n",
    "no size": f"203.0.113.9 - - {STAMP[:-1]}-",
    "no ident": f"203.0.113.9 - {STAMP}",
    "two blanks": f"203.0.113.9 -  - {STAMP}",
    "empty agent and referer": f'203.0.113.9 - - {STAMP} "" ""',
    "dashes": f'203.0.113.9 - - {STAMP} "-" "-"',
    "forwarded-for behind": f'203.0.113.9 - - {STAMP} "-" "-" "198.51.100.1"',
    "upstream fields behind": f'203.0.113.9 - - {STAMP} "-" "-" 80 0.000 [web-8080] [] 10.1.1.1:8080 13 0.0 200 abc',
    "virtual host": f"shop.example 203.0.113.9 - - {STAMP}",
    "virtual host with port": f"shop.example:443 203.0.113.9 - - {STAMP}",
    "virtual host that is an address": f"198.51.100.1 203.0.113.9 - - {STAMP}",
    "request id before the user": f"shop.example 203.0.113.9 - 0b1c2d3e4f50 - {STAMP}",
    "syslog": f"Oct  9 12:00:00 web1 nginx[311]: 203.0.113.9 - - {STAMP}",
    "syslog host that is an address": f"Oct  9 12:00:00 198.51.100.1 nginx: 203.0.113.9 - - {STAMP}",
    "containerd": f"2025-10-09T12:00:00.123456789Z stdout F 203.0.113.9 - - {STAMP}",
    "compose": f"web_1  | 203.0.113.9 - - {STAMP}",
    "forwarded chain": f"198.51.100.1, 203.0.113.9 - - {STAMP}",
    "port": f"203.0.113.9:51123 - - {STAMP}",
    "mapped IPv6": f"::ffff:203.0.113.9 - - {STAMP}",
    "cut off in the agent": f'203.0.113.9 - - {STAMP} "-" "Mozilla',
    "lower-case month": f"203.0.113.9 - - {STAMP.replace('Oct', 'oct.')}",
    "milliseconds": f"203.0.113.9 - - {STAMP.replace(':00 ', ':00.123 ')}",
}


@pytest.mark.parametrize("line", SHAPES.values(), ids=SHAPES)
def test_lines_of_many_shapes_are_understood(line):
    event, _ = parse(line)

    assert (event.address, event.method, event.path, event.status) == ("203.0.113.9", "GET", "/a", 404)
    assert event.at_us == 1_760_011_200 * US
    assert event.user_agent in {"", "Mozilla"}


@pytest.mark.parametrize(
    ("written", "address", "network"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:0001:0002:0000:0000:0000:0001", "2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8::1", "2001:db8::1", "2001:db8::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9", "203.0.113.9"),
        ("0:0:0:0:0:ffff:203.0.113.9", "203.0.113.9", "203.0.113.9"),
    ],
)
def test_addresses_are_canonical(written, address, network):
    event, _ = parse(COMBINED.replace("203.0.113.9", written))

    assert (event.address, event.network) == (address, network)


@pytest.mark.parametrize(
    ("zone", "utc"),
    [("+0000", "12:00"), ("-0800", "20:00"), ("+1100", "01:00"), ("+0530", "06:30")],
)
def test_time_zones_are_undone(zone, utc):
    event, _ = parse(COMBINED.replace("+0000", zone))

    assert f"{to_datetime(event.at_us):%H:%M}" == utc


def test_a_zone_may_change_the_day():
    event, _ = parse(COMBINED.replace("12:00:00 +0000", "23:30:00 -0100"))

    assert to_datetime(event.at_us).isoformat() == "2025-10-10T00:30:00+00:00"


def requested(request: str) -> str:
    return f'203.0.113.9 - - [09/Oct/2025:12:00:00 +0000] "{request}" 400 7 "-" "-"'


@pytest.mark.parametrize(
    ("request_line", "method", "path", "query"),
    [
        (r"GET /?q=\"x\" HTTP/1.1", "GET", "/", 'q="x"'),
        (r"GET /?q=\x22x\x5C HTTP/1.1", "GET", "/", 'q="x\\'),
        (r"GET /a\\b HTTP/1.1", "GET", "/a\\b", ""),
        ("GET /a b c HTTP/1.1", "GET", "/a b c", ""),
        ("GET /a  HTTP/2.0", "GET", "/a", ""),
        ("GET /a", "GET", "/a", ""),
        ("GET http://judge.example:80/ip.php HTTP/1.0", "GET", "http://judge.example:80/ip.php", ""),
        ("CONNECT mail.example:25 HTTP/1.1", "CONNECT", "mail.example:25", ""),
        ("PROPFIND / HTTP/1.1", "PROPFIND", "/", ""),
        ("", "", "", ""),
        ("-", "", "", ""),
        ("- - HTTP/1.0", "", "", ""),
        ("hello", "", "hello", ""),
        (r"\x16\x03\x01\x00", "", "\x16\x03\x01\x00", ""),
        ("GET / HTTP/1.2", "", "GET / HTTP/1.2", ""),
    ],
)
def test_request_lines_of_all_kinds_are_read(request_line, method, path, query):
    event, _ = parse(requested(request_line))

    assert (event.method, event.path, event.query) == (method, path, query)


def test_quotes_that_a_server_left_as_they_came_do_not_end_the_request():
    event, _ = parse('203.0.113.9 - - [09/Oct/2025:12:00:00 +0000] "GET /?q="a" or "b" HTTP/1.1" 200 7 "-" "-"')

    assert (event.query, event.status) == ('q="a" or "b"', 200)


def test_a_user_name_cannot_stand_for_the_address_or_the_date():
    name = "198.51.100.1 - - [01/Jan/2020:00:00:00 +0000]"

    event, _ = parse(COMBINED.replace("- - [", f"- {name} ["))

    assert event.address == "203.0.113.9"
    assert to_datetime(event.at_us).year == 2025


def test_a_password_refused_by_the_server_itself_is_a_failed_login():
    refused, _ = parse('203.0.113.9 - ann [09/Oct/2025:12:00:00 +0000] "GET /wiki HTTP/1.1" 401 7 "-" "-"')
    asked_for, _ = parse('203.0.113.9 - - [09/Oct/2025:12:00:00 +0000] "GET /wiki HTTP/1.1" 401 7 "-" "-"')
    passed, _ = parse('203.0.113.9 - ann [09/Oct/2025:12:00:00 +0000] "GET /wiki HTTP/1.1" 200 7 "-" "-"')

    assert (refused.outcome, refused.user) == ("login_failed", "")
    assert (asked_for.outcome, asked_for.user) == ("", "")
    assert (passed.outcome, passed.user) == ("", "ann")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\n",
        "hello",
        "[Thu Oct 09 12:00:00.000001 2025] [core:error] [pid 7] [client 203.0.113.9:1024] AH00126: Invalid URI",
        '2025/10/09 12:00:00 [error] 7#7: *1 "/x" is not found, client: 203.0.113.9, request: "GET /x HTTP/1.1"',
        'client.example - - [09/Oct/2025:12:00:00 +0000] "GET /a HTTP/1.1" 200 7',
        '999.0.113.9 - - [09/Oct/2025:12:00:00 +0000] "GET /a HTTP/1.1" 200 7',
        '203.0.113.9 - - [09/Foo/2025:12:00:00 +0000] "GET /a HTTP/1.1" 200 7',
        '203.0.113.9 - - [09/Oct/2025:12:00:00 +0000] "GET /a HTTP/1.1"',
        "203.0.113.9 - - [09/Oct/2025:12:00:00 +0000] GET /a HTTP/1.1 200 7",
    ],
)
def test_what_is_no_line_of_an_access_log_is_declined(line):
    assert parse(line) is None


@given(st.binary(max_size=300))
def test_no_bytes_make_the_parser_raise(data):
    parse(data.decode(errors="backslashreplace"))


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_field_makes_the_parser_raise(user, date, request_line, rest):
    parse(f'203.0.113.9 - {user} [09/Oct/2025:12:00:00 +0000] "{request_line}" 200 {rest}')
    parse(f'203.0.113.9 - - [{date}] "{request_line}" 200 5 "{rest}" "{user}"')


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 9999), st.sampled_from(["+", "-"]))
def test_no_date_makes_the_parser_raise(day, hour, second, year, sign):
    line = parse(
        f'203.0.113.9 - - [{day:02d}/Jan/{year:04d}:{hour:02d}:00:{second:02d} {sign}1200] "GET / HTTP/1.1" 200 5'
    )

    assert line is None or line.event.at


def test_a_date_that_no_clock_shows_is_declined():
    assert parse(COMBINED.replace("2025", "9999")) is None
    assert parse(COMBINED.replace("09/Oct", "31/Feb")) is None
