from __future__ import annotations

import socket
import threading

import pytest
import requests

from tests.fuzz.network import Forbidden, only_loopback

# Of TEST-NET-1 (RFC 5737): nobody's.
ELSEWHERE = ("192.0.2.1", 80)


@pytest.mark.parametrize("family", ["tcp", "udp"])
def test_no_socket_leaves_this_machine(family: str) -> None:
    """A connect, and a datagram, to another host fail at once."""
    kind = socket.SOCK_STREAM if family == "tcp" else socket.SOCK_DGRAM

    with only_loopback(), socket.socket(socket.AF_INET, kind) as reaching, pytest.raises(Forbidden):
        reaching.connect(ELSEWHERE) if family == "tcp" else reaching.sendto(b"?", ELSEWHERE)


def test_no_name_is_looked_up() -> None:
    """Asking a name server is reaching out too."""
    with only_loopback(), pytest.raises(Forbidden, match=r"shop\.example\.com"):
        socket.getaddrinfo("shop.example.com", 80)


def test_other_threads_are_held_too() -> None:
    """The fuzzer calls from threads of its own."""
    said: list[Exception] = []

    def ask() -> None:
        try:
            requests.get("http://192.0.2.1/", timeout=1)
        except requests.ConnectionError as error:
            said.append(error)

    with only_loopback():
        asking = threading.Thread(target=ask)
        asking.start()
        asking.join()

    assert "may not reach '192.0.2.1'" in str(said[0])


def test_this_machine_is_reached_and_afterwards_all() -> None:
    """Loopback is open during the run, and the guard ends with it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with only_loopback():
            socket.create_connection(server.getsockname()).close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.connect(ELSEWHERE)  # of a datagram's socket: sends nothing
