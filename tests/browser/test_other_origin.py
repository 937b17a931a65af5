"""A page of another origin, in a real browser: what its scripts may read and send, and that a stranger's may not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_sf
import pytest
from playwright.sync_api import Browser, Page

from tests.browser import house as houses

PASSWORD = "correct horse battery"

# Sends one request and returns what a script can read of the answer; where the browser keeps it back, the error's name.
SEND = """
async ([url, options]) => {
  try {
    const response = await fetch(url, options);
    const text = await response.text();
    return { status: response.status, fields: Object.fromEntries(response.headers), body: text && JSON.parse(text) };
  } catch (error) {
    return { error: error.name };
  }
}
"""

Send = Callable[..., dict[str, Any]]


class Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A front end</title>")

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def front_end() -> Iterator[int]:
    """The port of a web server that knows nothing of the API. Its pages have the origin by which they were called."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Blank) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def api(front_end: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    staff = ["createsuperuser", "--no-input", "--username", "dana", "--email", "dana@example.com"]
    with houses.served(
        tmp_path_factory.mktemp("other-origin"),
        "other_origin",
        [["seed_shop", "--products", "20", "--customer-password", PASSWORD], staff],
        DJANGO_SETTINGS_MODULE="tests.browser.other_origin_settings",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        CORS_ALLOWED_ORIGINS=f"http://127.0.0.1:{front_end}",
    ) as url:
        yield url


@pytest.fixture
def window(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def send(window: Page, api: str, front_end: int) -> Send:
    """Sends by the script of a page that the API knows: `send("GET", "/api/v1/cart/", {"X-Cart-Token": "..."})`."""
    window.goto(f"http://127.0.0.1:{front_end}/")
    return sender(window, api)


def sender(window: Page, api: str) -> Send:
    def ask(method: str, path: str, fields: dict[str, str] | None = None, body: str | None = None) -> dict[str, Any]:
        options = {"method": method, "headers": fields or {}, **({"body": body} if body else {})}
        return window.evaluate(SEND, [api + path, options])

    return ask


def signed_in(send: Send, name: str) -> dict[str, str]:
    body = f'{{"username": "{name}", "password": "{PASSWORD}"}}'
    answer = send("POST", "/api/v1/auth/token/", {"Content-Type": "application/json"}, body)
    return {"Authorization": f"Bearer {answer['body']['access']}", "Content-Type": "application/json"}


def test_a_refusal_is_read_whole_and_says_when_to_come_back(send):
    answers = [send("GET", "/api/v1/cart/") for _ in range(3)]

    assert [answer["status"] for answer in answers] == [200, 200, 429]
    fields, problem = answers[2]["fields"], answers[2]["body"]
    assert 0 < int(fields["retry-after"]) <= 60
    standing, policies = (
        dict(http_sf.parse(fields[name].encode(), tltype="list")) for name in ("ratelimit", "ratelimit-policy")
    )
    assert standing["browsing"] == {"r": 0, "t": int(fields["retry-after"])}
    assert policies["browsing"] == {"q": 2, "w": 60}
    assert problem["instance"] == f"urn:sentinel:request:{fields['x-request-id']}"
    assert (problem["status"], problem["violated-policies"]) == (429, ["browsing"])
    assert problem["type"].endswith("quota-exceeded")


@pytest.mark.parametrize(("path", "times"), [("/api/v1/products/", 1), ("/api/v1/cart/", 3)])
def test_a_page_that_is_not_on_the_list_reads_nothing_not_even_a_refusal(window, api, front_end, path, times):
    window.goto(f"http://localhost:{front_end}/")  # another name, another origin
    send = sender(window, api)

    answers = [send("GET", path) for _ in range(times)]

    assert answers == [{"error": "TypeError"}] * times


def test_a_page_sends_its_token_and_its_key_and_reads_that_it_was_answered_before(send):
    fields = {**signed_in(send, "ada"), "Idempotency-Key": "5b1f6a3e-2f0c-4c55-9a39-6a1de0c0a9b4"}
    body = '{"items": [{"sku": "LIG-00002", "quantity": 1}], "card": "4242424242424242"}'

    first, again = (send("POST", "/api/v1/checkout/", fields, body) for _ in range(2))

    assert (first["status"], again["status"]) == (201, 201)
    assert "idempotent-replayed" not in first["fields"]
    assert again["fields"]["idempotent-replayed"] == "true"
    assert first["body"] == again["body"]


def test_a_page_reads_a_tag_and_asks_and_writes_by_it(send):
    fields = signed_in(send, "dana")
    new = '{"sku": "TAB-90001", "name": "Northern Oak Desk", "category": "tables", "price": "389.90"}'

    made = send("POST", "/api/v1/products/", fields, new)
    path = "/api/v1/products/" + made["body"]["slug"] + "/"
    changed = send("PATCH", path, {**fields, "If-Match": made["fields"]["etag"]}, '{"stock": 3}')
    stale = send("PATCH", path, {**fields, "If-Match": made["fields"]["etag"]}, '{"stock": 4}')
    known = send("GET", path, {**fields, "If-None-Match": changed["fields"]["etag"]})

    assert made["fields"]["location"].endswith(path)
    assert [answer["status"] for answer in (made, changed, stale, known)] == [201, 200, 412, 304]


def test_a_page_sends_the_token_of_a_strangers_cart(send):
    item = '{"sku": "LIG-00002", "quantity": 2}'
    token = send("POST", "/api/v1/cart/items/", {"Content-Type": "application/json"}, item)["body"]["token"]

    cart = send("GET", "/api/v1/cart/", {"X-Cart-Token": token})

    assert [line["quantity"] for line in cart["body"]["lines"]] == [2]


def test_a_page_reads_that_something_will_go(send):
    fields = send("GET", "/api/old/")["fields"]

    assert fields["deprecation"] == "@1772323200"
    assert fields["sunset"] == "Mon, 01 Mar 2027 00:00:00 GMT"
    assert 'rel="deprecation"' in fields["link"]
