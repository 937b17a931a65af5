"""A receiver of the webhook: a real HTTP server on this machine, which answers as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.webhook import SECRET


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.body)
        return said


@dataclass
class Receiver:
    """`statuses`: what it answers, the last one for good. `answer` takes the place of all of it."""

    port: int = 0
    statuses: list[int] = field(default_factory=lambda: [204])
    fields: dict[str, str] = field(default_factory=dict)
    answer: Callable[[BaseHTTPRequestHandler], None] | None = None
    received: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/alerts?from=sentinel"

    def next_status(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


class Server(ThreadingHTTPServer):
    def handle_error(self, *args: object) -> None:
        """That a caller hangs up is what some tests are about."""


@contextmanager
def listening() -> Iterator[tuple[Receiver, ThreadingHTTPServer]]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append(Received(self.path, dict(self.headers), body))
            if receiver.answer is not None:
                receiver.answer(self)
                return
            self.send_response(receiver.next_status())
            for name, value in receiver.fields.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the name that the base class looks for

        def log_message(self, *args: object) -> None: ...

    server = Server(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver, server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as (receiver, _):
        yield receiver


@pytest.fixture
def told(receiver: Receiver, tracking: Callable[..., object]) -> Receiver:
    """The receiver, named in the settings as one of one's own network."""
    tracking(
        WEBHOOK_URL=receiver.url,
        WEBHOOK_SECRET=SECRET,
        WEBHOOK_NETWORKS=["127.0.0.0/8"],
        SITE_URL="https://shop.example.com/",
    )
    return receiver
