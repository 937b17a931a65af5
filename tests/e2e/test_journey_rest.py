"""A front end's whole way through the shop, by the REST API alone: processes, and nothing but HTTP."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e import processes

pytestmark = pytest.mark.slow

ADDRESS, PASSWORD = "maria@example.com", "correct horse battery"
STAFF = "theo"
APPROVED, DECLINED = "4242424242424242", "4000000000000002"
LINK = re.compile(r"/register/confirm#token=(\S+)")


class FrontEnd:
    """Knows the API's address, what it was given by it, and nothing else."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/api/v1"
        self.fields: dict[str, str] = {}
        self.refresh = ""

    def ask(self, method: str, path: str, status: int, body: Any = None, **more: Any) -> Any:
        """Returns the answer's JSON; fails where it has another status, or is a refusal that is no problem document."""
        fields = {**self.fields, **more.pop("fields", {})}
        answer = requests.request(method, self.url + path, json=body, headers=fields, timeout=10, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        if status >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
        return answer.json() if answer.content else None


@pytest.fixture(scope="module", params=["gunicorn", "uvicorn"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FrontEnd, Path]]:
    """The front end of a running shop, and the log of the worker, into which its mails are written."""
    server: Callable[[int], list[str]] = getattr(processes, request.param)
    directory = tmp_path_factory.mktemp("journey")
    port = processes.free_port()
    url, mails = f"http://127.0.0.1:{port}", directory / "worker.log"
    with processes.database(f"journey_{request.param}") as database:
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "sentinel.settings",
            "DATABASE_URL": database,
            "EMAIL_URL": "consolemail://",
            "SPOOL_DIR": str(directory / "spool"),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "",
        }
        processes.manage(env, "migrate", "--verbosity", "0")
        processes.manage(env, "seed_shop", "--products", "60")
        staff = {**env, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
        processes.manage(staff, "createsuperuser", "--noinput", "--username", STAFF, "--email", "staff@example.com")
        beat = ["-B", "-s", str(directory / "beat"), "-c", "1", "-n", "journey@%h"]
        with (
            processes.running(processes.worker(*beat), env, mails),
            processes.running(server(port), env, directory / "web.log") as web,
        ):
            processes.wait_until(lambda: web.poll() is not None or processes.is_healthy(url), "the web server's start")
            assert web.poll() is None, (directory / "web.log").read_text()
            yield FrontEnd(url), mails


def test_from_registering_to_a_cancelled_order(shop):
    front_end, mails = shop

    cheapest = _browses(front_end)
    _puts_into_a_cart(front_end, cheapest)
    _registers(front_end, mails)
    _signs_in_and_the_cart_follows(front_end, cheapest)
    total = _uses_a_coupon(front_end, cheapest)
    order = _is_declined_and_pays_by_another_card(front_end, total)
    _cancels(front_end, order, cheapest)
    _signs_out(front_end)

    told = f"Your order {order} was cancelled"
    processes.wait_until(lambda: told in mails.read_text("utf-8"), "the mail of the cancellation", 60)


def test_a_file_of_products_goes_through_the_server_whole(shop):
    """5 MB: many pieces of the server's, of the form's and of the database's."""
    staff = FrontEnd(shop[0].url.removesuffix("/api/v1"))
    tokens = staff.ask("POST", "/auth/token/", 200, {"username": STAFF, "password": PASSWORD})
    staff.fields["Authorization"] = f"Bearer {tokens['access']}"
    rows = [f"FILE-{number},Pine Desk {number},home/tables,9.90,{'x' * 1000}" for number in range(5_000)]
    text = "\n".join(["sku,name,category,price,description", *rows])

    began = staff.ask("POST", "/imports/", 202, files={"file": ("autumn.csv", text)})

    row: dict[str, Any] = {}

    def over() -> bool:
        row.update(staff.ask("GET", f"/imports/{began['id']}/", 200))
        return row["state"] not in ("waiting", "running")

    processes.wait_until(over, "the import's end", 60)
    assert (row["state"], row["rows_created"], row["size"]) == ("done", 5_000, len(text))


def test_a_body_without_its_length_is_refused_and_not_taken_for_empty(shop):
    def body() -> Iterator[bytes]:
        yield b'{"username": "theo", '
        yield b'"password": "wrong"}'

    refused = shop[0].ask("POST", "/auth/token/", 411, data=body(), fields={"Content-Type": "application/json"})

    assert (refused["title"], "Content-Length" in refused["detail"]) == ("Length Required", True)


def _browses(front_end: FrontEnd) -> dict[str, Any]:
    """By category, price and stock, by a text, and through all of it; returns the cheapest lamp."""
    categories = front_end.ask("GET", "/categories/", 200)
    assert {"slug": "lighting", "name": "Lighting", "parent": "home"}.items() <= _named(categories, "lighting").items()

    asked = {"category": "lighting", "in_stock": "true", "currency": "EUR", "max_price": "200", "ordering": "price"}
    lamps = front_end.ask("GET", "/products/", 200, params=asked)["results"]
    prices = [Decimal(lamp["price"]) for lamp in lamps]
    assert prices == sorted(prices)
    assert prices[-1] <= 200
    assert all(lamp["stock"] > 0 for lamp in lamps)

    word = lamps[0]["name"].split()[-1]
    found = front_end.ask("GET", "/products/search/", 200, params={"search": word})["results"]
    assert lamps[0]["slug"] in [product["slug"] for product in found]
    front_end.ask("GET", "/products/", 400, params={"max_price": "cheap"})

    assert len(_walk(front_end)) == 60
    return dict(front_end.ask("GET", f"/products/{lamps[0]['slug']}/", 200))


def _named(rows: list[dict[str, Any]], slug: str) -> dict[str, Any]:
    return next(row for row in rows if row["slug"] == slug)


def _walk(front_end: FrontEnd) -> set[str]:
    """Every product, piece by piece."""
    seen: set[str] = set()
    path: str | None = "/products/?cursor=&page_size=25"
    while path:
        piece = front_end.ask("GET", path, 200)
        seen |= {product["slug"] for product in piece["results"]}
        path = piece["next"] and piece["next"].removeprefix(front_end.url)
    return seen


def _puts_into_a_cart(front_end: FrontEnd, lamp: dict[str, Any]) -> None:
    """As a stranger, who is given a token for it, once."""
    cart = front_end.ask("POST", "/cart/items/", 201, {"sku": lamp["sku"], "quantity": 1})
    front_end.fields["X-Cart-Token"] = cart["token"]
    cart = front_end.ask("PUT", f"/cart/items/{lamp['sku']}/", 200, {"quantity": 2})

    assert (cart["token"], cart["can_be_bought"]) == ("", True)
    assert Decimal(cart["total"]) == 2 * Decimal(lamp["price"])
    front_end.ask("POST", "/checkout/", 401, {"card": APPROVED})


def _registers(front_end: FrontEnd, mails: Path) -> None:
    """By the link of a mail, whose token the front end's page posts."""
    front_end.ask("POST", "/auth/registration/", 202, {"email": ADDRESS})
    token = processes.wait_until(lambda: LINK.findall(mails.read_text("utf-8")), "the mail with the link", 30)[-1]

    front_end.ask("POST", "/auth/registration/confirm/", 400, {"token": token, "password": "12345678"})
    made = front_end.ask("POST", "/auth/registration/confirm/", 201, {"token": token, "password": PASSWORD})

    assert made["email"] == ADDRESS
    front_end.ask("POST", "/auth/registration/confirm/", 409, {"token": token, "password": PASSWORD})


def _signs_in_and_the_cart_follows(front_end: FrontEnd, lamp: dict[str, Any]) -> None:
    front_end.ask("POST", "/auth/token/", 401, {"username": ADDRESS, "password": "wrong horse"})
    tokens = front_end.ask("POST", "/auth/token/", 200, {"username": ADDRESS, "password": PASSWORD})
    tokens = front_end.ask("POST", "/auth/token/refresh/", 200, {"refresh": tokens["refresh"]})
    front_end.fields["Authorization"] = f"Bearer {tokens['access']}"
    front_end.refresh = tokens["refresh"]

    cart = front_end.ask("GET", "/cart/", 200)
    del front_end.fields["X-Cart-Token"]

    assert [(line["sku"], line["quantity"]) for line in cart["lines"]] == [(lamp["sku"], 2)]
    assert front_end.ask("GET", "/cart/", 200) == cart
    assert front_end.ask("GET", "/me/", 200)["email"] == ADDRESS


def _uses_a_coupon(front_end: FrontEnd, lamp: dict[str, Any]) -> str:
    """Returns what is to be paid."""
    refused = front_end.ask("POST", "/cart/coupon/", 422, {"code": "SUMMER"})
    cart = front_end.ask("POST", "/cart/coupon/", 200, {"code": "welcome10"})

    assert refused["type"] == "urn:problem-type:shop:coupon-refused"
    assert (cart["coupon"], cart["coupon_holds"]) == ("WELCOME10", True)
    assert Decimal(cart["discount"]) == (Decimal(cart["subtotal"]) / 10).quantize(Decimal("0.01"))
    return str(cart["total"])


def _is_declined_and_pays_by_another_card(front_end: FrontEnd, total: str) -> str:
    """Returns the order's number."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    stale = front_end.ask("POST", "/checkout/", 409, {"card": APPROVED, "expected_total": "1.00"}, fields=key)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    declined = front_end.ask("POST", "/checkout/", 402, {"card": DECLINED, "expected_total": total}, fields=key)
    again = front_end.ask("POST", "/checkout/", 402, {"card": DECLINED, "expected_total": total}, fields=key)
    path = f"/orders/{declined['order']}/pay/"
    key = {"Idempotency-Key": str(uuid.uuid4())}
    paid = front_end.ask("POST", path, 200, {"card": APPROVED}, fields=key)

    assert stale["type"] == "urn:problem-type:shop:price-changed"
    assert (declined, declined["state"]) == (again, "placed")
    assert (paid["state"], paid["total"], paid["coupon"]) == ("paid", total, "WELCOME10")
    assert [payment["state"] for payment in paid["payments"]] == ["declined", "approved"]
    assert front_end.ask("POST", path, 200, {"card": APPROVED}, fields=key) == paid
    assert front_end.ask("GET", "/cart/", 200)["lines"] == []
    return str(paid["number"])


def _cancels(front_end: FrontEnd, number: str, lamp: dict[str, Any]) -> None:
    listed = front_end.ask("GET", "/orders/", 200)["results"]
    cancelled = front_end.ask("POST", f"/orders/{number}/cancel/", 200)
    refused = front_end.ask("POST", f"/orders/{number}/cancel/", 409)

    assert [order["number"] for order in listed] == [number]
    assert cancelled["state"] == "cancelled"
    assert refused["type"] == "urn:problem-type:shop:order-state"
    # Of a cart that is filled again, the stock is read past every cache: all of it is back.
    cart = front_end.ask("POST", "/cart/items/", 201, {"sku": lamp["sku"], "quantity": 1})
    assert [line["stock"] for line in cart["lines"]] == [lamp["stock"]]


def _signs_out(front_end: FrontEnd) -> None:
    front_end.ask("POST", "/auth/logout/", 204, {"refresh": front_end.refresh})
    front_end.ask("POST", "/auth/token/refresh/", 401, {"refresh": front_end.refresh})
