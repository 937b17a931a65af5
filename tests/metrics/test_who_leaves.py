"""Clients that leave real servers over a real socket; and those that stay."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from metrics.catalogue import ABORTED, REQUEST_EXCEPTIONS, REQUESTS, RESPONSE_SIZE
from tests.dogstatsd import Receiver, udp_receiver
from tests.e2e.processes import free_port, is_healthy, running, wait_until
from tests.metrics.test_process import environment
from tests.metrics.urls import LARGE

GUNICORN = ["gunicorn", "-w", "1", "--threads", "2", "tests.metrics.served:wsgi", "--bind", "127.0.0.1:{port}"]
UVICORN = ["uvicorn", "tests.metrics.served:asgi", "--lifespan", "off", "--port", "{port}"]
SERVERS = {"gunicorn": GUNICORN, "uvicorn": UVICORN}


class Server:
    """One running server, and the Agent it sends to."""

    def __init__(self, name: str, port: int, agent: Receiver) -> None:
        self.name = name
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.agent = agent

    def visit_and_leave(self, path: str, read_bytes: int) -> None:
        """Reads so much of the answer, then closes the connection with the rest unread."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            while read_bytes > 0:
                read_bytes -= len(connection.recv(min(read_bytes, 65_536)))

    def counted(self, route: str) -> None:
        """Waits until a request of this route is counted."""
        self.agent.wait_for(lambda: self.agent.total(REQUESTS, route=route) > 0, deadline_s=30)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    with udp_receiver() as agent:
        port = free_port()
        args = [sys.executable, "-m", *(arg.format(port=port) for arg in SERVERS[request.param])]
        with running(args, environment(agent), tmp_path / "log"):
            server = Server(request.param, port, agent)
            wait_until(lambda: is_healthy(server.url), f"the start of {request.param}")
            yield server


def test_who_leaves_and_who_stays(server: Server) -> None:
    """One start of a server, as it takes a second, for each way in which an answer ends."""
    agent = server.agent
    endless = "/endless/async/" if server.name == "uvicorn" else "/endless/sync/"
    broken = "/ten/async-broken/" if server.name == "uvicorn" else "/ten/sync-broken/"

    server.visit_and_leave(endless, 500_000)
    server.counted("endless")
    server.visit_and_leave("/large/", 500_000)
    server.counted("large")
    whole = requests.get(f"{server.url}/file/", timeout=30)
    server.counted("file")
    head = requests.head(f"{server.url}/shop/products/1/", timeout=30)
    server.counted("shop:product-detail")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(f"{server.url}{broken}", timeout=30)
    server.counted("ten")

    assert agent.values(REQUESTS, route="endless", status_class="2xx") == [1]
    assert agent.values(ABORTED, route="endless", method="GET") == [1]
    assert agent.values(RESPONSE_SIZE, route="endless")[0] >= 500_000
    assert agent.values(REQUESTS, route="large") == agent.values(ABORTED, route="large") == [1]
    assert 500_000 <= agent.values(RESPONSE_SIZE, route="large")[0] < LARGE
    assert agent.values(RESPONSE_SIZE, route="file") == [len(whole.content)]
    assert head.ok
    assert agent.values(RESPONSE_SIZE, route="shop:product-detail", method="HEAD") == [0]
    assert agent.values(REQUEST_EXCEPTIONS, route="ten", exception="LookupError") == [1]
    assert agent.total(ABORTED) == 2
    assert all(agent.total(REQUESTS, route=route) == 1 for route in ("file", "shop:product-detail", "ten"))


@pytest.mark.parametrize("server", ["uvicorn"], indirect=True)
def test_who_leaves_before_the_answer_is_there(server: Server) -> None:
    """Only an async server looks at its client while the view runs."""
    server.visit_and_leave("/waits/", 0)

    server.counted("waits")
    assert server.agent.values(ABORTED, route="waits", method="GET") == [1]
    assert server.agent.values(REQUESTS, route="waits", status_class="4xx") == [1]
