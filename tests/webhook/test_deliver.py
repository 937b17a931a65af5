"""One try: what arrives, what is judged from the answer, and where nothing is ever sent."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from ip_tracking.webhook.deliver import MOST_PAUSE_S, MOST_TRIES, Outcome, deliver, pause_s
from tests.webhook import SECRET
from tests.webhook.conftest import Receiver, listening
from tests.webhook.test_address import resolver

Configure = Callable[..., object]

BODY = json.dumps({"version": 1, "hello": "wörld"})


def is_ours(secret: bytes, headers: dict[str, str], body: bytes) -> bool:
    """As docs/security-api.md tells receivers to do it."""
    sent = headers["Sentinel-Timestamp"]
    signed = hmac.new(secret, f"{sent}.".encode() + body, hashlib.sha256).hexdigest()
    fresh = abs(time.time() - int(sent)) < 300
    return fresh and hmac.compare_digest(headers["Sentinel-Signature"], "v1=" + signed)


def test_it_arrives_as_it_was_written_and_signed(told: Receiver) -> None:
    assert deliver(BODY) is Outcome.SENT

    [message] = told.received
    assert (message.path, message.body) == ("/alerts?from=sentinel", BODY.encode())
    assert message.headers["Host"] == f"127.0.0.1:{told.port}"
    assert message.headers["Content-Type"] == "application/json"
    assert is_ours(SECRET.encode(), message.headers, message.body)
    assert not is_ours(b"another secret", message.headers, message.body)
    assert not is_ours(SECRET.encode(), message.headers, message.body + b" ")
    older = {**message.headers, "Sentinel-Timestamp": str(int(message.headers["Sentinel-Timestamp"]) - 1)}
    assert not is_ours(SECRET.encode(), older, message.body)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.SENT),
        (202, Outcome.SENT),
        (400, Outcome.REJECTED),
        (401, Outcome.REJECTED),
        (410, Outcome.REJECTED),
        (408, Outcome.AGAIN),
        (429, Outcome.AGAIN),
        (500, Outcome.AGAIN),
        (503, Outcome.AGAIN),
    ],
)
def test_the_status_says_whether_another_try_makes_sense(told: Receiver, status: int, outcome: Outcome) -> None:
    told.statuses = [status]

    assert deliver(BODY) is outcome


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(told: Receiver, status: int) -> None:
    with listening() as (elsewhere, _):
        for place in (elsewhere.url, "http://169.254.169.254/latest/meta-data/"):
            told.statuses, told.fields = [status], {"Location": place}

            assert deliver(BODY) is Outcome.REJECTED

        assert elsewhere.received == []
    assert len(told.received) == 2


def test_nobody_there_is_tried_again(told: Receiver, tracking: Configure) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        tracking(WEBHOOK_URL=f"http://127.0.0.1:{closed.getsockname()[1]}/")

        assert deliver(BODY) is Outcome.AGAIN


def test_a_name_that_cannot_be_looked_up_is_tried_again(told: Receiver) -> None:
    def fails(*args: Any, **kwargs: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    assert deliver(BODY, lookup=fails) is Outcome.AGAIN


def test_an_answer_that_never_comes_is_waited_for_so_long_and_no_longer(told: Receiver) -> None:
    done = threading.Event()
    told.answer = lambda _: bool(done.wait(10)) and None
    began = time.monotonic()

    outcome = deliver(BODY, deadline_s=0.3)

    done.set()
    assert outcome is Outcome.AGAIN
    assert time.monotonic() - began < 3


def test_an_answer_that_comes_byte_by_byte_is_too_slow_as_a_whole(told: Receiver) -> None:
    done = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not done.wait(0.05):
            try:
                handler.wfile.write(b"a")
            except OSError:
                return

    told.answer = drip
    began = time.monotonic()

    outcome = deliver(BODY, deadline_s=0.5)

    done.set()
    assert outcome is Outcome.AGAIN
    assert time.monotonic() - began < 3


def test_an_endless_head_is_cut_off(told: Receiver) -> None:
    sent = 0

    def flood(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        try:
            while sent < 100_000_000:
                sent += handler.connection.send(b"a" * 65_536)
        except OSError:
            return

    told.answer = flood
    began = time.monotonic()

    outcome = deliver(BODY)

    assert outcome is Outcome.AGAIN
    assert time.monotonic() - began < 5  # and not when the time is over
    assert sent < 20_000_000


def test_the_body_of_an_answer_is_not_read(told: Receiver) -> None:
    def much(handler: BaseHTTPRequestHandler) -> None:
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            while True:
                handler.wfile.write(b"a" * 65_536)
        except OSError:
            return

    told.answer = much

    assert deliver(BODY) is Outcome.SENT


@pytest.mark.parametrize(
    "words", [b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"", b"HTTP/1.1 99 x\r\n\r\n"]
)
def test_what_is_no_http_is_no_answer(told: Receiver, words: bytes) -> None:
    told.answer = lambda handler: handler.wfile.write(words) and None

    assert deliver(BODY) is Outcome.AGAIN


# Where nothing is sent


def test_a_name_that_leads_to_this_machine_is_not_spoken_to(told: Receiver, tracking: Configure) -> None:
    """By https and by a public-looking name; nobody named the network as one's own."""
    tracking(WEBHOOK_URL=f"https://alerts.example.com:{told.port}/", WEBHOOK_NETWORKS=[])

    for private in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"):
        assert deliver(BODY, lookup=resolver(private)) is Outcome.UNSAFE
    assert told.received == []


def test_the_address_that_was_checked_is_the_one_connected_to(told: Receiver, tracking: Configure) -> None:
    """A name that answers differently the second time (DNS rebinding): it is not asked a second time."""
    tracking(WEBHOOK_URL=f"http://alerts.invalid:{told.port}/")
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    asked = []

    def rebinding(host: str, port: int, **how: Any) -> list[Any]:
        asked.append(host)
        return list(resolver(*answers[min(len(asked), 2) - 1])(host, port))

    assert deliver(BODY, lookup=rebinding) is Outcome.SENT

    assert asked == ["alerts.invalid"]
    assert told.received[0].headers["Host"] == f"alerts.invalid:{told.port}"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_not_used(told: Receiver, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with listening() as (proxy, _):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")

        assert deliver(BODY) is Outcome.SENT
        assert proxy.received == []


def test_nothing_is_sent_unsigned(told: Receiver, tracking: Configure) -> None:
    tracking(WEBHOOK_SECRET="")

    assert deliver(BODY) is Outcome.UNSAFE
    assert told.received == []


def test_what_was_switched_off_meanwhile_is_dropped(told: Receiver, tracking: Configure) -> None:
    tracking(WEBHOOK_URL="")

    assert deliver(BODY) is Outcome.OFF


def test_the_second_address_is_tried_where_the_first_is_dead(told: Receiver, tracking: Configure) -> None:
    tracking(WEBHOOK_URL=f"http://two.example:{told.port}/")

    assert deliver(BODY, lookup=resolver("127.0.0.2", "127.0.0.1")) is Outcome.SENT


# TLS


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A receiver by TLS, whose certificate is alerts.example.com's and trusted here."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=test"]
        + ["-addext", "subjectAltName=DNS:alerts.example.com", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    asked_for: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked_for.append(name)
    with listening() as (receiver, server):
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        yield receiver, asked_for


def test_by_tls_the_certificate_is_the_names(secure: Any, told: Receiver, tracking: Configure) -> None:
    receiver, asked_for = secure
    tracking(WEBHOOK_URL=f"https://alerts.example.com:{receiver.port}/")

    assert deliver(BODY, lookup=resolver("127.0.0.1")) is Outcome.SENT

    assert asked_for == ["alerts.example.com"]
    assert receiver.received[0].headers["Host"] == f"alerts.example.com:{receiver.port}"


def test_by_tls_another_names_certificate_is_refused(secure: Any, told: Receiver, tracking: Configure) -> None:
    receiver, _ = secure
    tracking(WEBHOOK_URL=f"https://other.example.com:{receiver.port}/")

    assert deliver(BODY, lookup=resolver("127.0.0.1")) is Outcome.AGAIN
    assert receiver.received == []


# Trying again


def test_the_tries_last_about_a_quarter_of_an_hour_and_no_pause_is_long() -> None:
    pauses = [pause_s(tries) for tries in range(MOST_TRIES - 1)]

    assert pauses[:6] == [1, 2, 4, 8, 16, 30]
    assert max(pauses) == MOST_PAUSE_S < 60  # a Redis broker's visibility timeout
    assert 12 * 60 < sum(pauses) < 18 * 60
