"""Files of mixed formats, told apart line by line."""

from __future__ import annotations

import json

import pytest

from ip_tracking.replay.formats import FORMATS
from tests.replay.lines import line

COMBINED = line("/a")
JSON = json.dumps(
    {"remote_addr": "203.0.113.9", "time_local": "09/Oct/2025:12:00:00 +0000", "request": "GET /a HTTP/1.1"}
    | {"status": 404, "http_user_agent": "Mozilla/5.0"}
)
WRAPPED = {"stream": "stdout", "time": "2025-10-09T12:00:01.5Z"}


@pytest.mark.parametrize(
    "text",
    [
        COMBINED,
        JSON,
        f"web_1  | {JSON}",
        json.dumps({"log": COMBINED} | WRAPPED),
        json.dumps({"log": JSON + "\n"} | WRAPPED),
        COMBINED.replace("09/Oct/2025:12:00:00 +0000", "2025-10-09T14:00:00+02:00"),
        COMBINED.replace("09/Oct/2025:12:00:00 +0000", "1760011200.000"),
    ],
)
def test_each_line_is_read_by_its_own_format(text):
    event, _ = FORMATS["auto"](text)

    assert (event.address, event.method, event.path, event.status) == ("203.0.113.9", "GET", "/a", 404)
    assert event.at.isoformat() == "2025-10-09T12:00:00+00:00"


def test_a_named_format_reads_no_other():
    assert FORMATS["combined"](JSON) is None
    assert FORMATS["json"](COMBINED) is None
    assert FORMATS["combined"](COMBINED) == FORMATS["auto"](COMBINED)
    assert FORMATS["json"](JSON) == FORMATS["auto"](JSON)


def test_json_in_a_field_of_a_combined_line_is_the_client_s_own_word():
    event, _ = FORMATS["auto"](line("/b", agent=JSON.replace("/a", "/c").replace('"', "'"), network="198.51.100.1"))

    assert (event.address, event.path) == ("198.51.100.1", "/b")
