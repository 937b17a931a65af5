"""Lines of a log for tests."""

from __future__ import annotations


def line(target: str, *, at: str = "12:00:00", status: int = 404, network: str = "203.0.113.9", **fields: str) -> str:
    method, referer, agent = (fields.get(name, known) for name, known in KNOWN.items())
    return f'{network} - - [09/Oct/2025:{at} +0000] "{method} {target} HTTP/1.1" {status} 7 "{referer}" "{agent}"\n'


KNOWN = {"method": "GET", "referer": "-", "agent": "Mozilla/5.0"}
