"""ip_tracking and metrics protect any other Django project: three settings and nothing of shop or sentinel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happened in that project's own process."""
    return told_by("tests.foreign.visits", tmp_path_factory)


def told_by(module: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-m", module],
        cwd=Path(__file__).parents[2],
        env={
            "PATH": os.environ["PATH"],
            "REDIS_URL": os.environ["REDIS_URL"],
            "DD_DOGSTATSD_DISABLE": "true",
            "FOREIGN_DATABASE": str(tmp_path_factory.mktemp("foreign") / "foreign.sqlite3"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-4_000:]
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_it_is_limited_and_told_so_in_full(seen: dict[str, Any]) -> None:
    assert seen["statuses"] == [200, 429]
    assert seen["last"]["status"] == 429
    assert seen["last"]["fields"]["RateLimit-Policy"].startswith('"site";q=40')
    assert int(seen["last"]["fields"]["Retry-After"]) > 0
    assert seen["problem"]["violated-policies"] == ["site"]


def test_its_own_thread_stores_every_request(seen: dict[str, Any]) -> None:
    assert seen["routes"] == ["page"]


def test_an_offender_becomes_a_case_and_is_refused(seen: dict[str, Any]) -> None:
    """Ten wrong passwords are enough; that the offender is refused then, its own process waited for."""
    assert seen["guesses"] == [401] * 10
    assert seen["case"] == ["203.0.113.9", "login-brute-force"]
    assert seen["neighbour"] == 200


def test_nothing_of_the_shop_or_the_wiring_is_imported(seen: dict[str, Any]) -> None:
    assert seen["imported"] == []


def test_the_review_desk_for_programs_works_there_by_one_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    """REST framework as it comes: its own ways to sign in, its own error handler everywhere else."""
    seen = told_by("tests.foreign.api_visits", tmp_path_factory)

    assert seen["stranger"] == [403, "application/problem+json"]
    assert seen["nobody"][:2] == [403, "application/problem+json"]
    assert "ip_tracking.view_suspiciousip" in seen["nobody"][2]
    assert seen["networks"] == ["203.0.113.9"]
    assert seen["blocked"] == [200, "block"]
    assert seen["stale"] == [412, "application/problem+json"]
    assert seen["exported"] == "203.0.113.9"
    assert seen["imported"] == []
