"""Imports over the API: who may, what is taken, how far it is, what was wrong."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework_simplejwt.tokens import AccessToken

from shop.accounts.models import User
from shop.catalogue.models import Category, Product
from shop.imports import running
from shop.imports.models import Import, Piece, RowError
from shop.imports.uploading import PIECE_BYTES, Upload

pytestmark = pytest.mark.django_db

URL = "/api/v1/imports/"
GOOD = b"sku,name,category,price\nA-1,Desk,tables,10\nB-1,Rug,tables,5.50\n"
BAD = b"sku,name,category,price\nA-1,Desk,tables,ten\n=B,Rug,chairs,5\nC-1,Mat,tables,1\n"


@pytest.fixture(autouse=True)
def _category(db: None) -> None:
    Category.objects.create(name="Tables", slug="tables")


def staff(*names: str, **values: bool) -> User:
    user = User.objects.create_user("grace", "grace@example.com", is_staff=values.get("is_staff", True))
    user.user_permissions.set(Permission.objects.filter(codename__in=names, content_type__app_label="catalogue"))
    return user


def signed(user: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {AccessToken.for_user(user)}"})


@pytest.fixture
def grace(db: None) -> Client:
    return signed(staff("add_product", "change_product"))


def send(client: Client, text: bytes, query: str = "", **headers: str) -> Any:
    return client.post(f"{URL}{query}", text, content_type="text/csv", headers=headers)


def form(client: Client, text: bytes, **fields: str) -> Any:
    return client.post(URL, {**fields, "file": SimpleUploadedFile("autumn.csv", text, "text/csv")})


def problem(response: Any) -> tuple[int, str]:
    assert response["Content-Type"] == "application/problem+json"
    said = response.json()
    return response.status_code, " ".join([said["detail"], *(error["detail"] for error in said.get("errors", []))])


def test_a_file_is_taken_and_tells_how_far_it_is(grace: Client, workers: None) -> None:
    response = send(grace, GOOD)

    assert response.status_code == 202
    told = grace.get(response["Location"])
    assert told["Cache-Control"] == "private, no-store"
    row = told.json()
    assert (row["state"], row["progress"], row["rows_read"], row["rows_created"]) == ("done", 1.0, 2, 2)
    assert (row["rows_updated"], row["rows_unchanged"], row["rows_failed"]) == (0, 0, 0)
    assert row["requested_by"] == "grace"
    assert row["started_at"] <= row["finished_at"]
    assert Product.objects.count() == 2
    assert not Piece.objects.exists()


def test_a_form_is_taken_too(grace: Client, workers: None) -> None:
    response = form(grace, GOOD.replace(b",", b";"), delimiter="semicolon", dry_run="true")

    row = grace.get(response["Location"]).json()
    assert (row["name"], row["size"], row["dry_run"]) == ("autumn.csv", len(GOOD), True)
    assert (row["state"], row["rows_created"]) == ("done", 2)
    assert not Product.objects.exists()


def test_the_same_file_after_it_changes_nothing(grace: Client, workers: None) -> None:
    send(grace, GOOD)

    again = grace.get(send(grace, GOOD)["Location"]).json()

    assert (again["rows_created"], again["rows_updated"], again["rows_unchanged"]) == (0, 0, 2)


@pytest.mark.parametrize(
    ("names", "is_staff"),
    [
        pytest.param((), False, id="customer"),
        pytest.param(("add_product", "change_product"), False, id="permitted-but-no-staff"),
        pytest.param(("add_product",), True, id="may-only-add"),
        pytest.param(("change_product",), True, id="may-only-change"),
    ],
)
def test_only_staff_who_may_add_and_change_products(names: tuple[str, ...], is_staff: bool) -> None:
    client = signed(staff(*names, is_staff=is_staff))
    mine = Upload(User.objects.get(), timezone.now())
    mine.write(GOOD)
    row, _ = mine.finish("", None)

    answers = [send(client, GOOD), client.post(f"{URL}{row.pk}/cancel/")]
    answers += [client.get(f"{URL}{path}") for path in ("", f"{row.pk}/", f"{row.pk}/errors/", f"{row.pk}/errors.csv")]

    assert [answer.status_code for answer in answers] == [403] * 6
    assert Import.objects.count() == 1


def test_a_stranger_is_told_to_sign_in_and_nothing_is_read() -> None:
    assert send(Client(), GOOD).status_code == 401
    assert not Import.objects.exists()


# What is no file of products


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(b"", "The file is empty", id="empty"),
        pytest.param(b"sku,prize\nA,1\n", "Do you mean price?", id="unknown-column"),
        pytest.param(b"\xff\xfes\x00k\x00u\x00", "UTF-16", id="utf-16"),
        pytest.param(b"x" * 10_000_000, "longer than", id="one-long-line"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "no column `sku`", id="picture"),
    ],
)
@pytest.mark.parametrize("how", [send, form], ids=["csv", "form"])
def test_what_is_none_is_refused_at_once_and_not_kept(
    grace: Client, how: Callable[..., Any], text: bytes, said: str
) -> None:
    status, detail = problem(how(grace, text))

    assert (status, said in detail) == (400, True), detail
    assert not Import.objects.exists()
    assert not Piece.objects.exists()


@pytest.mark.parametrize("how", [send, form], ids=["csv", "form"])
@pytest.mark.parametrize("length", ["true", "too-short"])
def test_a_file_that_is_too_large_is_refused(
    grace: Client, settings: Settings, how: Callable[..., Any], length: str
) -> None:
    settings.IMPORT_MAX_BYTES = 70_000 if length == "too-short" else 100

    status, detail = problem(how(grace, GOOD + b"x" * 130_000))

    assert (status, detail.startswith("A file may have")) == (413, True)
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?dryrun=true", "Known are dry_run, delimiter"),
        ("?dry_run=perhaps", "valid boolean"),
        ("?delimiter=dot", "not a valid choice"),
    ],
)
def test_an_option_that_is_not_understood_is_no_import(grace: Client, query: str, said: str) -> None:
    """A dry run in other letters would write."""
    status, detail = problem(send(grace, GOOD, query))

    assert (status, said in detail) == (400, True), detail
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"dryrun": "true", "file": GOOD}, id="unknown-field"),
        pytest.param({"data": GOOD}, id="other-name"),
        pytest.param({"file": GOOD, "more": GOOD}, id="two-files"),
        pytest.param({"dry_run": "true"}, id="no-file"),
    ],
)
def test_a_form_of_another_shape_says_what_is_right(grace: Client, fields: dict[str, Any]) -> None:
    body = {
        name: SimpleUploadedFile("a.csv", value) if isinstance(value, bytes) else value
        for name, value in fields.items()
    }

    status, detail = problem(grace.post(URL, body))

    assert status == 400, detail
    assert not Import.objects.exists()


def test_json_is_no_file(grace: Client) -> None:
    assert problem(grace.post(URL, {"file": "x"}, content_type="application/json"))[0] == 415


def test_a_file_is_never_whole_in_memory(grace: Client) -> None:
    """16 MiB of rows cost a few pieces of 256 KiB."""

    class Endless(io.RawIOBase):
        left = 16 * 2**20

        def readinto(self, into: Any) -> int:
            size = min(self.left, len(into))
            into[:size] = (b"A-1,Desk,tables,10\n" * (size // 19 + 1))[:size]
            self.left -= size
            return size

    upload = Upload(User.objects.get(), timezone.now())
    source = Endless()
    upload.write(b"sku,name,category,price\n")
    tracemalloc.start()
    while data := source.read(64 * 1024):
        upload.write(data)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert upload.row.size > 16 * 2**20
    assert most < 12 * PIECE_BYTES


# Twice


def test_a_doubled_request_starts_one_import(grace: Client) -> None:
    first, second = send(grace, GOOD), send(grace, GOOD)

    assert second.status_code == 202
    assert second["Location"] == first["Location"]
    assert ("Idempotent-Replayed" in first, second["Idempotent-Replayed"]) == (False, "true")
    assert Import.objects.count() == 1
    assert Piece.objects.count() == 1


def test_other_options_are_another_import(grace: Client) -> None:
    assert send(grace, GOOD)["Location"] != send(grace, GOOD, "?dry_run=true")["Location"]


def test_a_key_stands_for_its_import_also_when_that_is_over(grace: Client, workers: None) -> None:
    key = {"Idempotency-Key": "5b1f6a3e-2f0c-4c55"}
    first = send(grace, GOOD, **key)
    assert grace.get(first["Location"]).json()["state"] == "done"

    second, other = send(grace, GOOD, **key), send(grace, GOOD, **{"Idempotency-Key": "another-key"})

    assert second["Location"] == first["Location"] != other["Location"]
    assert second["Idempotent-Replayed"] == "true"


def test_a_key_of_another_file_is_refused(grace: Client, workers: None) -> None:
    key = {"Idempotency-Key": "5b1f6a3e-2f0c-4c55"}
    send(grace, GOOD, **key)

    assert problem(send(grace, BAD, **key))[0] == 422
    assert problem(send(grace, GOOD, "?dry_run=true", **key))[0] == 422
    assert problem(send(grace, GOOD, **{"Idempotency-Key": "short"}))[0] == 400
    assert Import.objects.count() == 1


# What was wrong


def test_bad_rows_are_listed_and_the_good_ones_taken(grace: Client, workers: None) -> None:
    url = send(grace, BAD)["Location"]

    row, errors = grace.get(url).json(), grace.get(f"{url}errors/?page_size=1").json()

    assert (row["state"], row["rows_created"], row["rows_failed"], row["errors_count"]) == ("done", 1, 2, 2)
    assert errors["count"] == 2
    assert errors["results"][0] == {
        "line": 2,
        "column": "price",
        "value": "ten",
        "message": "A valid number is required. Write a number with a point and at most two places, as in 19.90.",
    }
    assert grace.get(errors["next"]).json()["results"][0]["column"] == "category"


def test_the_list_of_errors_is_no_formula(grace: Client, workers: None) -> None:
    text = b"sku,name,category,price\n" + b"\n".join(
        b'%s,"x","%s",1' % (str(n).encode(), cell)
        for n, cell in enumerate([b"=1+1", b"@SUM(A1)", b"-2", b"\x1b[2J", "\uff1d1".encode()])
    )
    url = send(grace, text)["Location"]

    answer = grace.get(f"{url}errors.csv")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["line", "column", "value", "message"]
    assert [row[2] for row in rows[1:]] == ["'=1+1", "'@SUM(A1)", "'-2", "\\x1b[2J", "'\uff1d1"]


def test_errors_beyond_a_thousand_are_counted_and_not_listed(grace: Client, workers: None) -> None:
    text = b"sku,name,category,price\n" + b"".join(b"A-%d,x,tables,ten\n" % number for number in range(1200))

    url = send(grace, text)["Location"]

    assert grace.get(url).json()["errors_count"] == 1200
    assert RowError.objects.count() == running.MOST_ERRORS == 1000
    assert grace.get(f"{url}errors/").json()["count"] == 1000


def test_a_file_that_breaks_in_the_middle_keeps_what_stands_before_it(grace: Client, workers: None) -> None:
    row = grace.get(send(grace, GOOD + b'C-1,"Mat,tables,1\nD-1,x,tables,1\n')["Location"]).json()

    assert (row["state"], row["rows_created"]) == ("failed", 2)
    assert row["failure"].startswith("Line 4: a quotation mark is opened here")


# Cancelling


def test_one_that_waits_is_cancelled_at_once(grace: Client) -> None:
    url = send(grace, GOOD)["Location"]

    answer = grace.post(f"{url}cancel/")

    assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
    assert not Piece.objects.exists()
    assert not running.work(Import.objects.get().pk, timezone.now())
    assert not Product.objects.exists()


def test_what_is_over_is_not_cancelled(grace: Client, workers: None) -> None:
    url = send(grace, GOOD)["Location"]

    answer = grace.post(f"{url}cancel/")

    assert problem(answer) == (409, "This import is done.")
    assert answer.json()["state"] == "done"


def test_lists_are_newest_first_and_show_no_unfinished_upload(grace: Client) -> None:
    for number in range(3):
        send(grace, GOOD + b"%d,x,tables,1\n" % number)
    Upload(User.objects.get(), timezone.now())
    Import.objects.filter(size=Import.objects.first().size).update(created_at=timezone.now() - timedelta(days=0))

    rows = grace.get(f"{URL}?page_size=2").json()

    assert len(rows["results"]) == 2
    assert [row["created_at"] for row in rows["results"]] == sorted(
        (row["created_at"] for row in rows["results"]), reverse=True
    )
    assert len(grace.get(rows["next"]).json()["results"]) == 1


def test_no_import_is_a_404(grace: Client) -> None:
    unfinished = Upload(User.objects.get(), timezone.now()).row.pk

    for pk in (unfinished, "0b6d5a52-6b0a-4c0e-9a39-6a1de0c0a9b4"):
        assert problem(grace.get(f"{URL}{pk}/")) == (404, "There is no such import.")
        assert grace.get(f"{URL}{pk}/errors/").status_code == 404
        assert grace.post(f"{URL}{pk}/cancel/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_ten_requests_at_once_start_one_import(grace: Client) -> None:
    """Whoever is last to be received finds the first, whatever their order."""

    def one(_: int) -> str:
        try:
            return str(send(grace, GOOD)["Location"])
        finally:
            connection.close()

    if connection.vendor == "sqlite":
        pytest.skip("threads of one test share SQLite's database in memory")
    with ThreadPoolExecutor(10) as pool:
        places = set(pool.map(one, range(10)))

    assert len(places) == 1
    assert Import.objects.count() == Piece.objects.count() == 1
