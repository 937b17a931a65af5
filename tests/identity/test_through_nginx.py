"""What the corpus sends, sent for real: raw bytes to nginx, which names the client to gunicorn over TCP or a socket.

Whatever a client sends, it is the address that nginx saw.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.processes import free_port, running, wait_until
from tests.identity.corpus import CASES, Case
from tests.required import require

pytestmark = pytest.mark.slow

HEADERS = ("X-Forwarded-For", "Forwarded")

# What a proxy appends: nginx' own way, and the plain one for the header that nginx has no word for.
APPENDED = {"X-Forwarded-For": "$proxy_add_x_forwarded_for", "Forwarded": '"$http_forwarded, for=$remote_addr"'}

# One process, as whoever runs the tests; room for headers of 100 kB, so that it is Sentinel who has to bear them.
NGINX = """
daemon off; master_process off; pid {at}/nginx.pid; error_log {at}/nginx.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi;
  uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
  large_client_header_buffers 4 512k;
  {servers}
}}
"""
SERVER = """
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass {upstream}; proxy_set_header {header} {appended}; }}
  }}
"""

Way = tuple[str, str]
WAYS: list[Way] = [(way, header) for way in ("tcp", "socket", "two proxies") for header in HEADERS]


class Answer(NamedTuple):
    status: int
    client: dict[str, Any]


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Way, int]]:
    """Starts all of it; yields where each way in begins, and under "gunicorn" where nginx is passed by."""
    require("nginx", "nginx")
    at = tmp_path_factory.mktemp("nginx")
    ports = {way: free_port() for way in [*WAYS, *(("gunicorn", header) for header in HEADERS)]}
    with contextlib.ExitStack() as started:
        for header in HEADERS:
            for trusted, bind in (
                ("127.0.0.1", f"127.0.0.1:{ports['gunicorn', header]}"),
                ("unix", f"unix:{at}/{header}.sock"),
            ):
                env = {**os.environ, "TRUSTED_PROXIES": trusted, "PROXY_HEADER": header, "DJANGO_SETTINGS_MODULE": ""}
                started.enter_context(running(gunicorn(bind), env, at / "gunicorn.log"))
        (at / "nginx.conf").write_text(nginx_conf(at, ports))
        command = [require("nginx", "nginx"), "-p", str(at), "-c", str(at / "nginx.conf"), "-e", str(at / "nginx.log")]
        started.enter_context(running(command, dict(os.environ), at / "nginx.log"))
        for port in ports.values():
            wait_until(lambda port=port: is_up(port), "the start of nginx and gunicorn", 30)
        yield ports


def gunicorn(bind: str) -> list[str]:
    args = ["-w", "1", "--threads", "4", "--bind", bind, "--limit-request-field_size", "1000000"]
    return [sys.executable, "-m", "gunicorn", "--no-control-socket", *args, "tests.identity.server"]


def nginx_conf(at: Path, ports: dict[Way, int]) -> str:
    servers = ""
    for header in HEADERS:
        for way, upstream in (
            ("tcp", f"http://127.0.0.1:{ports['gunicorn', header]}"),
            ("socket", f"http://unix:{at}/{header}.sock"),
            ("two proxies", f"http://127.0.0.1:{ports['tcp', header]}"),
        ):
            servers += SERVER.format(
                port=ports[way, header], upstream=upstream, header=header, appended=APPENDED[header]
            )
    return NGINX.format(at=at, servers=servers)


def ask(port: int, source: str, lines: tuple[str, ...]) -> Answer:
    """Sends exactly these header lines from this address."""
    text = "\r\n".join(["GET / HTTP/1.1", "Host: shop.example", "Connection: close", *lines, "", ""])
    with socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(source, 0)) as connection:
        connection.sendall(text.encode())
        with HTTPResponse(connection) as reply:
            reply.begin()
            return Answer(reply.status, json.load(reply) if reply.status == 200 else {})


def is_up(port: int) -> bool:
    try:
        return ask(port, "127.0.0.1", ()).status == 200
    except (OSError, HTTPException):
        return False


def visitor(number: int) -> str:
    """An address of its own for each client; nginx and gunicorn have 127.0.0.1."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def is_wrong(case: Case, answer: Answer, source: str) -> bool:
    if case.refused:
        return answer.status != 400
    return (answer.status, answer.client.get("address"), answer.client.get("through_proxy")) != (200, source, True)


@pytest.mark.parametrize(("way", "header"), WAYS)
def test_the_client_is_who_nginx_saw(ports: dict[Way, int], way: str, header: str) -> None:
    wrong = []
    for number, case in enumerate(CASES):
        answer = ask(ports[way, header], visitor(number), case.sent)
        if is_wrong(case, answer, visitor(number)):
            wrong.append((case.what, [line[:100] for line in case.sent], answer))

    assert wrong == []


@pytest.mark.parametrize("header", HEADERS)
def test_gunicorn_itself_believes_no_stranger(ports: dict[Way, int], header: str) -> None:
    """Past nginx, where underscores and hyphens would be one in WSGI's names."""
    wrong = []
    for number, case in enumerate(CASES):
        answer = ask(ports["gunicorn", header], visitor(number), case.sent)
        if not case.refused and answer.client.get("address") != visitor(number):
            wrong.append((case.what, [line[:100] for line in case.sent], answer))

    assert wrong == []


def test_an_underscore_is_no_hyphen_to_gunicorn(ports: dict[Way, int]) -> None:
    trusted = ask(ports["gunicorn", "X-Forwarded-For"], "127.0.0.1", ("X_Forwarded_For: 203.0.113.9",))

    assert trusted.client["address"] == "127.0.0.1"
