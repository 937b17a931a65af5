"""Cases as a file: the same filters, safe in a spreadsheet, recorded, and in little memory however many."""

from __future__ import annotations

import csv
import gc
import io
import json
from datetime import UTC, datetime
from typing import Any

import psutil
import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext

from ip_tracking.models import ReviewAction, SuspiciousIP
from ip_tracking.review.record import reason_of
from ip_tracking.security_api import export
from ip_tracking.security_api.shapes import CASE_FIELDS
from tests.review.api.conftest import CASES, case, errors, problem

pytestmark = pytest.mark.django_db

CSV, JSON = f"{CASES}export.csv", f"{CASES}export.json"

# What somebody writes who wants a spreadsheet to run it, and what it must be in the cell.
HOSTILE = {
    "=1+1": "'=1+1",
    "+1": "'+1",
    "-1": "'-1",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1+1": "'\\x09=1+1",
    "\r=1+1": "'\\x0d=1+1",
    "\n=1+1": "'\\x0a=1+1",
    "＝1+1": "'＝1+1",  # noqa: RUF001 - the wide form is meant
    '=HYPERLINK("http://evil.example","click")': '\'=HYPERLINK("http://evil.example","click")',
    'a","=1+1': 'a","=1+1',
    "a\r\n=1+1,b": "a\\x0d\\x0a=1+1,b",
    "a;=1+1": "a;=1+1",
    "\u202egpj.exe": "\\u202egpj.exe",
    "\u200b=1+1": "\\u200b=1+1",
    "\x1b[2J": "\\x1b[2J",
    "\ufeff=1+1": "\\ufeff=1+1",
    "'=1+1": "'=1+1",
    "Größe 漢字": "Größe 漢字",
    "plain": "plain",
}


def content(response: Any) -> bytes:
    assert response.status_code == 200, response.content
    assert isinstance(response, StreamingHttpResponse)
    return b"".join(response)  # type: ignore[arg-type]  # of a sync request


def table(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(response).decode("utf-8-sig"), newline="")))


def test_every_cell_of_a_hostile_text_is_safe_and_says_what_it_was(analyst: Client) -> None:
    for number, text in enumerate(HOSTILE):
        case(number, source=text, note=text)

    rows = table(analyst.get(CSV, {"tab": "all"}))

    assert [row["source"] for row in rows] == [row["note"] for row in rows] == list(HOSTILE.values())
    assert all(set(row) == set(CASE_FIELDS) for row in rows)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for row in rows for cell in row.values())


def test_a_hostile_name_of_a_colleague_is_safe_too(analyst: Client) -> None:
    case(assignee=get_user_model().objects.create_superuser("=evil"))

    assert table(analyst.get(CSV))[0]["assignee"] == "'=evil"


def test_a_spreadsheet_is_told_that_it_is_utf_8(analyst: Client) -> None:
    response = analyst.get(CSV)

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="cases.csv"'
    assert content(response).startswith(b"\xef\xbb\xbfid,version,network,")


def test_the_columns_are_those_of_the_list(analyst: Client) -> None:
    one = case()

    [row] = table(analyst.get(CSV))
    [listed] = analyst.get(CASES).json()["results"]

    assert row == {name: "" if value is None else str(value) for name, value in listed.items()}
    assert row["network"] == one.network


def test_as_json_it_is_what_the_list_says(analyst: Client) -> None:
    for number, text in enumerate(HOSTILE):
        case(number, source=text)

    shown = content(analyst.get(JSON))

    assert shown.isascii()
    assert [row["source"] for row in json.loads(shown)] == list(HOSTILE)
    assert json.loads(shown) == analyst.get(CASES, {"order": "id"}).json()["results"]


def test_of_nothing_there_is_an_empty_file(analyst: Client) -> None:
    assert json.loads(content(analyst.get(JSON))) == []
    assert table(analyst.get(CSV)) == []


def test_the_filters_are_those_of_the_list(analyst: Client) -> None:
    case(1), case(2, severity="low"), case(3, triage="closed")
    filters = {"severity": "high", "q": "198.51.100.0/24", "tab": "all"}

    rows = json.loads(content(analyst.get(JSON, filters)))

    assert {row["id"] for row in rows} == {row["id"] for row in analyst.get(CASES, filters).json()["results"]}
    assert len(rows) == 2
    assert list(errors(analyst.get(CSV, {"severty": "low"}))) == ["severty"]
    assert analyst.get(CSV, {"format": "xml"}).status_code == 404  # REST framework's own word


def test_who_exported_what_is_recorded(analyst: Client) -> None:
    content(analyst.get(CSV, {"severity": "high", "q": "-verdict:benign"}))

    [record] = ReviewAction.objects.all()
    assert (record.action, record.actor_name, record.via, record.case_id) == ("export", "dana", "api", None)
    assert reason_of(record) == "csv severity=high&q=-verdict%3Abenign"


def test_a_refused_export_is_no_export(analyst: Client) -> None:
    analyst.get(CSV, {"severity": "hihg"})

    assert not ReviewAction.objects.exists()


def test_too_many_are_refused_rather_than_cut(analyst: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST_ROWS", 3)
    for number in range(3):
        case(number)
    whole = analyst.get(CSV)
    case(4)

    refused = analyst.get(CSV)

    assert len(table(whole)) == 3
    assert refused.status_code == 422
    assert problem(refused)["type"] == "urn:problem-type:security:too-many"


def test_every_case_is_in_it_once_over_many_pages(analyst: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 4)
    made = [case(number).pk for number in range(10)]
    response = analyst.get(JSON)

    with CaptureQueriesContext(connection) as queries:
        rows = json.loads(content(response))

    assert [row["id"] for row in rows] == made
    assert len(queries) == 4  # three with rows, one that finds no more


def test_an_event_loop_gets_it_page_by_page_too(analyst: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 4)
    made = [case(number).pk for number in range(10)]

    async def download() -> list[bytes]:
        response = await AsyncClient().get(JSON, headers={"Authorization": analyst.defaults["HTTP_AUTHORIZATION"]})
        assert response.is_async
        return [part async for part in response]

    parts = async_to_sync(download)()

    assert [row["id"] for row in json.loads(b"".join(parts))] == made
    assert len(parts) == 4  # three pages and the end


@pytest.mark.slow
@pytest.mark.parametrize("path", [CSV, JSON])
def test_fifty_thousand_cases_take_little_memory(analyst: Client, path: str) -> None:
    """Kept all at once, their rows took 50 MB."""
    _fill(50_000)
    analyst.get(CASES)  # what is made once is there
    gc.collect()
    process, rows = psutil.Process(), 0
    before = most = process.memory_info().rss

    for part in analyst.get(path):
        rows += part.count(b"\n")
        most = max(most, process.memory_info().rss)

    assert rows >= 50_000
    assert most - before < 30_000_000


def _fill(size: int) -> None:
    now = datetime.now(UTC)
    new = (
        SuspiciousIP(
            network=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
            span_first=f"{number:032x}",
            span_last=f"{number:032x}",
            severity="high",
            severity_rank=3,
            score=10,
            top_rule="probing",
            first_seen=now,
            last_seen=now,
            note="x" * 200,
        )
        for number in range(size)
    )
    SuspiciousIP.objects.bulk_create(new, batch_size=5_000)
