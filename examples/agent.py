"""Prints what the Datadog Agent would be sent: `python agent.py 8125`."""

from __future__ import annotations

import socket
import sys

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
    listening.bind(("127.0.0.1", int(sys.argv[1])))
    while True:
        # A packet holds several lines.
        print(listening.recv(65_536).decode().rstrip(), flush=True)
