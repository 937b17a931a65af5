"""Lines of JSON as nginx, Traefik and Caddy write them, with addresses from the documentation ranges."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ip_tracking.event import US
from ip_tracking.replay import formats
from ip_tracking.replay.json_log import parse

NGINX = {
    "time_iso8601": "2025-10-09T14:00:00+02:00",
    "remote_addr": "203.0.113.9",
    "remote_user": "",
    "request": "GET /a?b=1 HTTP/1.1",
    "status": "404",
    "http_referer": "https://shop.example/",
    "http_user_agent": "Mozilla/5.0",
}
NGINX_IN_PARTS = {
    "time_local": "09/Oct/2025:12:00:00 +0000",
    "remote_addr": "203.0.113.9",
    "request_method": "GET",
    "request_uri": "/a?b=1",
    "status": 404,
    "http_referer": "https://shop.example/",
    "http_user_agent": "Mozilla/5.0",
}
NGINX_SPLIT = {
    "msec": "1760011200.000",
    "remote_addr": "203.0.113.9",
    "method": "GET",
    "uri": "/a",
    "args": "b=1",
    "status": 404,
    "referer": "https://shop.example/",
    "user_agent": "Mozilla/5.0",
}
TRAEFIK = {
    "ClientAddr": "203.0.113.9:51123",
    "ClientHost": "203.0.113.9",
    "ClientUsername": "-",
    "DownstreamStatus": 404,
    "OriginStatus": 502,
    "RequestMethod": "GET",
    "RequestPath": "/a?b=1",
    "StartUTC": "2025-10-09T12:00:00.000000789Z",
    "request_Referer": "https://shop.example/",
    "request_User-Agent": "Mozilla/5.0",
    "time": "2025-10-09T14:00:01+02:00",
}
TRAEFIK_SHORT = {
    "ClientAddr": "203.0.113.9:51123",
    "OriginStatus": 404,
    "RequestMethod": "GET",
    "RequestPath": "/a?b=1",
    "request_Referer": "https://shop.example/",
    "request_User-Agent": "Mozilla/5.0",
    "time": "2025-10-09T12:00:00Z",
}
CADDY = {
    "level": "info",
    "ts": 1760011200.0,
    "logger": "http.log.access",
    "request": {
        "remote_ip": "198.51.100.1",
        "remote_port": "41342",
        "client_ip": "203.0.113.9",
        "proto": "HTTP/2.0",
        "method": "GET",
        "host": "shop.example",
        "uri": "/a?b=1",
        "headers": {"User-Agent": ["Mozilla/5.0"], "Referer": ["https://shop.example/"]},
    },
    "user_id": "",
    "status": 404,
}
LINES = {
    "nginx": NGINX,
    "nginx, request in parts": NGINX_IN_PARTS,
    "nginx, arguments apart": NGINX_SPLIT,
    "nginx, whole target under request": NGINX_IN_PARTS | {"request_uri": "", "request": "/a?b=1"},
    "Traefik": TRAEFIK,
    "Traefik, few fields": TRAEFIK_SHORT,
    "Caddy": CADDY,
    "Caddy, ISO time": CADDY | {"ts": "2025-10-09T12:00:00.000Z"},
    "epoch milliseconds": NGINX | {"time_iso8601": 1_760_011_200_000},
}


@pytest.mark.parametrize("fields", LINES.values(), ids=LINES)
def test_lines_of_many_servers_are_understood(fields):
    event, referer = parse(json.dumps(fields) + "\n")

    assert (event.address, event.network) == ("203.0.113.9", "203.0.113.9")
    assert (event.method, event.path, event.query, event.status) == ("GET", "/a", "b=1", 404)
    assert event.at_us == 1_760_011_200 * US
    assert (event.user_agent, event.user) == ("Mozilla/5.0", "")
    assert referer == "https://shop.example/"


@pytest.mark.parametrize(
    ("written", "address", "network"),
    [
        ("2001:0db8:0001:0002:0000:0000:0000:0001", "2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9", "203.0.113.9"),
        ("[2001:db8::1]:443", "2001:db8::1", "2001:db8::/64"),
    ],
)
def test_addresses_are_canonical(written, address, network):
    event, _ = parse(json.dumps(TRAEFIK | {"ClientHost": written}))

    assert (event.address, event.network) == (address, network)


@pytest.mark.parametrize("request_line", ["", "-"])
def test_a_connection_that_asked_nothing_is_no_malformed_request(request_line):
    event, _ = parse(json.dumps(NGINX | {"request": request_line}))

    assert (event.method, event.path) == ("", "")


def test_what_was_no_http_has_no_method():
    event, _ = parse(json.dumps(NGINX | {"request": "\x16\x03\x01"}))

    assert (event.method, event.path) == ("", "\x16\x03\x01")


def test_a_password_refused_by_the_server_itself_is_a_failed_login():
    event, _ = parse(json.dumps(NGINX | {"remote_user": "ann", "status": 401}))

    assert (event.outcome, event.user) == ("login_failed", "")


def test_a_header_sent_twice_is_read_whole():
    headers = {"User-Agent": ["Mozilla/5.0", "sqlmap/1.8"]}

    event, _ = parse(json.dumps(CADDY | {"request": CADDY["request"] | {"headers": headers}}))

    assert event.user_agent == "Mozilla/5.0, sqlmap/1.8"


def test_a_header_cannot_stand_for_the_client_or_the_request():
    headers = {"client_ip": ["198.51.100.7"], "uri": ["/b"], "method": ["PUT"], "status": ["200"]}

    event, _ = parse(json.dumps(CADDY | {"request": CADDY["request"] | {"headers": headers}}))

    assert (event.address, event.method, event.path, event.status) == ("203.0.113.9", "GET", "/a", 404)


def test_escapes_that_json_does_not_know_are_read():
    line = json.dumps(NGINX).replace("b=1", r"b=\x22\xe9\x5Cx41")

    event, _ = parse(line)

    assert event.query == 'b="é\\x41'


@pytest.mark.parametrize("prefix", ["web_1  | ", "Oct  9 12:00:00 web1 nginx[311]: ", "2025-10-09T12:00:00Z stdout F "])
def test_what_a_runtime_puts_before_the_object_is_passed_over(prefix):
    assert parse(prefix + json.dumps(NGINX)).event.address == "203.0.113.9"


def test_an_object_that_a_client_sent_is_no_line():
    """In a line of another format, such as an error log's, behind the first quote all may be the client's."""
    assert parse('client: 198.51.100.1, request: "GET /' + json.dumps(NGINX)) is None


DEEP = "[" * 20_000
HOSTILE = {
    "no time": {"time_iso8601": None},
    "time not a number": {"time_iso8601": float("nan")},
    "infinite time": {"time_iso8601": float("inf")},
    "year 9999": {"time_iso8601": "9999-12-31T23:59:59-23:59"},
    "year 1": {"time_iso8601": "0001-01-01T00:00:00+23:59"},
    "huge time": {"time_iso8601": 10**4_000},
    "long time": {"time_iso8601": "2025-10-09T12:00:00" + " " * 9_000 + "Z"},
    "true for a time": {"time_iso8601": True},
    "list for a time": {"time_iso8601": ["2025-10-09T12:00:00Z"]},
    "number for an address": {"remote_addr": 3_405_803_785},
    "object for an address": {"remote_addr": {"a": 1}},
    "no such address": {"remote_addr": "999.0.113.9"},
    "text for a status": {"status": "4x4"},
    "huge status": {"status": 10**3_000},
    "negative status": {"status": -1},
    "fraction for a status": {"status": 404.5},
    "true for a status": {"status": True},
    "no status": {"status": None},
    "object for an agent": {"http_user_agent": {"a": "b"}},
    "list of numbers for an agent": {"http_user_agent": [1, 2]},
    "number for a referer": {"http_referer": 7},
    "object for a user": {"remote_user": {}},
    "number for a request": {"request": 7},
    "list for a request": {"request": [[]]},
}


@pytest.mark.parametrize("fields", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_field_makes_a_line_unparsed(fields):
    assert parse(json.dumps(NGINX | fields)) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "{}",
        "[]",
        "7",
        '{"a": ' + DEEP,
        DEEP,
        '{"status": ' + "9" * 9_000 + "}",
        '{"log": ' + DEEP,
        '{"log": 7}',
        '{"log": "{}"}',
        '{"request": {"headers": 7}}',
        json.dumps({name: value for name, value in NGINX.items() if name != "request"}),
        json.dumps(NGINX)[:-2],
        '{"level":"error","ts":1760011200.0,"msg":"aborting with incomplete response"}',
    ],
)
def test_what_is_no_line_of_an_access_log_is_declined(line):
    assert parse(line) is None
    assert formats.parse(line) is None


def test_half_a_character_becomes_its_escape():
    event, _ = parse(json.dumps(NGINX | {"request": "GET /\ud800 HTTP/1.1"}))

    assert event.path == r"/\ud800"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([NGINX, NGINX_SPLIT, TRAEFIK, CADDY]), st.data(), JSON)
def test_no_value_makes_the_parser_raise(fields, data, value):
    name = data.draw(st.sampled_from(sorted(fields)))

    parse(json.dumps(fields | {name: value}))


@given(st.sampled_from(sorted(CADDY["request"])), JSON)
def test_no_part_of_a_request_makes_the_parser_raise(name, value):
    parse(json.dumps(CADDY | {"request": CADDY["request"] | {name: value}}))
