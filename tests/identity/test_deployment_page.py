"""The nginx settings of docs/deployment.md and deploy/nginx.conf: nginx takes them, and hands on the client it saw."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import requests

from tests.e2e.processes import free_port, running, wait_until
from tests.papers import ROOT, blocks
from tests.required import require

PAGE = ROOT / "docs/deployment.md"
SNIPPETS = [block.text for block in blocks(PAGE, "In front of it") if block.kind == "nginx"]
NAMES = ["nginx", "alb", "cloudflare", "compose"]

AROUND = """
daemon off; master_process off; pid {at}/nginx.pid; error_log {at}/nginx.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi;
  uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
  {snippet}
}}
"""


def command(at: Path, *more: str) -> list[str]:
    return [require("nginx", "nginx"), "-p", str(at), "-c", str(at / "nginx.conf"), "-e", str(at / "nginx.log"), *more]


@pytest.fixture
def certificate(tmp_path: Path) -> str:
    made = ["-keyout", tmp_path / "tls.key", "-out", tmp_path / "tls.pem", "-subj", "/CN=shop.example.com"]
    subprocess.run(
        [require("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *made],
        check=True,
        capture_output=True,
    )
    return str(tmp_path / "tls")


@pytest.mark.parametrize("snippet", SNIPPETS, ids=NAMES)
def test_nginx_takes_what_the_page_says(snippet, certificate, tmp_path):
    text = snippet.replace("/etc/ssl/shop.example.com", certificate)
    (tmp_path / "nginx.conf").write_text(AROUND.format(at=tmp_path, snippet=text))

    done = subprocess.run(command(tmp_path, "-t"), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_nginx_takes_what_the_containers_run_with(tmp_path):
    (tmp_path / "nginx.conf").write_text((ROOT / "deploy/nginx.conf").read_text("utf-8"))

    done = subprocess.run(command(tmp_path, "-t"), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


class Upstream(BaseHTTPRequestHandler):
    """Stands where gunicorn would; remembers what it was told."""

    told: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        Upstream.told = dict(self.headers)
        self.send_response(204)
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def in_front(settings: str, at: Path) -> Iterator[str]:
    """Starts nginx with these settings, before an upstream of ours; yields its address."""
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    thread = threading.Thread(target=upstream.serve_forever, daemon=True)
    thread.start()
    port = free_port()
    for written, ours in (
        ("127.0.0.1:8000", f"127.0.0.1:{upstream.server_port}"),
        ("web:8000", f"127.0.0.1:{upstream.server_port}"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port}"),
        ("listen 8080", f"listen 127.0.0.1:{port}"),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("set_real_ip_from 10.0.1.0/24", "set_real_ip_from 127.0.0.1"),  # where this test's load balancer is
        ("set_real_ip_from 104.16.0.0/13", "set_real_ip_from 127.0.0.1"),
    ):
        settings = settings.replace(written, ours)
    (at / "nginx.conf").write_text(settings)
    url = f"http://127.0.0.1:{port}/"
    try:
        with running(command(at), dict(os.environ), at / "nginx.log"):
            wait_until(lambda: _answers(url), "nginx' start", 20)
            yield url
    finally:
        upstream.shutdown()
        upstream.server_close()
        thread.join()


def _without_tls(snippet: str) -> str:
    return "\n".join(line for line in snippet.splitlines() if not line.strip().startswith("ssl_"))


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).status_code == 204
    except requests.RequestException:
        return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sent", "client"),
    [
        ("nginx", {"X-Forwarded-For": "198.51.100.1"}, "127.0.0.1"),
        ("alb", {"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "X-Forwarded-Proto": "https"}, "203.0.113.9"),
        ("cloudflare", {"CF-Connecting-IP": "203.0.113.9", "X-Forwarded-For": "198.51.100.1"}, "203.0.113.9"),
    ],
)
def test_what_nginx_hands_on_is_the_client_it_saw(name, sent, client, tmp_path):
    settings = AROUND.format(at=tmp_path, snippet=_without_tls(SNIPPETS[NAMES.index(name)]))
    with in_front(settings, tmp_path) as url:
        requests.get(url, headers={"Host": "shop.example.com", **sent}, timeout=5)

    assert Upstream.told["X-Forwarded-For"] == client
    assert Upstream.told["Host"] == "shop.example.com"
    assert Upstream.told["X-Forwarded-Proto"] == ("https" if name == "alb" else "http")


@pytest.mark.slow
@pytest.mark.parametrize(("said", "handed_on"), [({}, "http"), ({"X-Forwarded-Proto": "https"}, "https")])
def test_the_containers_nginx_hands_on_that_tls_ended_in_front_of_it(said, handed_on, tmp_path):
    settings = (ROOT / "deploy/nginx.conf").read_text("utf-8").replace("/tmp/", f"{tmp_path}/")  # noqa: S108 - of its container
    with in_front(f"daemon off; master_process off;\n{settings}", tmp_path) as url:
        requests.get(url, headers={"X-Forwarded-For": "198.51.100.1", **said}, timeout=5)

    assert Upstream.told["X-Forwarded-Proto"] == handed_on
    assert Upstream.told["X-Forwarded-For"] == "127.0.0.1"


@pytest.mark.slow
def test_the_containers_nginx_takes_a_file_of_products_and_elsewhere_no_such_body(tmp_path):
    """What it hands on for a file is the client it saw, as for everything else, and nothing of it stays in nginx."""
    settings = (ROOT / "deploy/nginx.conf").read_text("utf-8").replace("/tmp/", f"{tmp_path}/")  # noqa: S108 - of its container
    body, headers = b"x" * 1_000_000, {"Content-Type": "text/csv", "X-Forwarded-For": "198.51.100.1"}
    with in_front(f"daemon off; master_process off;\n{settings}", tmp_path) as url:
        refused = requests.post(f"{url}api/v1/products/", body, headers=headers, timeout=5)
        taken = requests.post(f"{url}api/v1/imports/", body, headers=headers, timeout=5)

    assert (refused.status_code, taken.status_code) == (413, 204)
    assert Upstream.told["Content-Length"] == "1000000"
    assert Upstream.told["X-Forwarded-For"] == "127.0.0.1"
    assert Upstream.told["X-Forwarded-Proto"] == "http"
    assert "is buffered to a temporary file" not in (tmp_path / "nginx.log").read_text()
