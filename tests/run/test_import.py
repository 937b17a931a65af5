"""A file of products, sent to `make run`: through gunicorn, into SQLite, and taken up by its worker."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.processes import wait_until
from tests.run.house import House

pytestmark = pytest.mark.slow

ROWS = 60_000  # seconds of work, also on a fast machine: it is looked at while it goes on


@pytest.fixture
def house() -> Iterator[House]:
    with tempfile.TemporaryDirectory(prefix="var-") as name, House(Path(name)) as house:
        yield house


def rows(count: int) -> Iterator[bytes]:
    """Sent as they are made."""
    yield b"sku,name,category,price,stock\n"
    for number in range(count):
        yield b"FILE-%d,Desk %d,home/tables,%d.90,5\n" % (number, number, number % 300)


@pytest.mark.parametrize("how", ["csv", "form"])
def test_a_file_is_received_and_taken_while_the_shop_goes_on(house: House, how: str) -> None:
    name, password = house.find(r"/admin/ +(\S+) / "), house.find(r"/admin/ +\S+ / (\S+)")
    signed = requests.Session()
    answer = signed.post(f"{house.url}/api/v1/auth/token/", json={"username": name, "password": password}, timeout=10)
    signed.headers["Authorization"] = f"Bearer {answer.json()['access']}"
    text = b"".join(rows(ROWS))

    sent: dict[str, object] = {"files": {"file": ("autumn.csv", text)}}
    if how == "csv":
        sent = {"data": text, "headers": {"Content-Type": "text/csv"}}
    began = signed.post(f"{house.url}/api/v1/imports/", timeout=30, **sent)  # type: ignore[arg-type]
    assert began.status_code == 202, began.text
    url = began.headers["Location"]
    seen, states = set(), set()

    def over() -> bool:
        row = signed.get(url, timeout=25).json()
        seen.add(row["progress"])
        states.add(row["state"])
        # Customers buy and search meanwhile.
        assert requests.get(f"{house.url}/api/v1/products/?search=desk", timeout=25).status_code == 200
        assert signed.post(f"{house.url}/api/v1/cart/items/", json={"sku": "TAB-00001", "quantity": 1}, timeout=25).ok
        return row["state"] not in ("waiting", "running")

    wait_until(over, "the import's end", 180, every_s=0.1)
    row = signed.get(url, timeout=10).json()
    assert (row["state"], row["rows_created"], row["failure"]) == ("done", ROWS, "")
    assert len(seen) > 2
    assert "running" in states
    assert house.get("/api/v1/products/desk-19999/").json()["sku"] == "FILE-19999"
