"""`manage.py datadog_sync` as an operator runs it: a process of its own, keys in its environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.datadog.server import API_KEY, APP_KEY, Datadog

ROOT = Path(__file__).resolve().parents[2]


def run(*args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DD_", "DATADOG_"))}
    done = subprocess.run(
        [sys.executable, "manage.py", "datadog_sync", *args],
        cwd=ROOT,
        env={**kept, "NO_PROXY": "*", **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert API_KEY not in done.stdout + done.stderr
    assert APP_KEY not in done.stdout + done.stderr
    return done


def keys(datadog: Datadog) -> dict[str, str]:
    return {"DD_API_KEY": API_KEY, "DD_APP_KEY": APP_KEY, "DATADOG_HOST": datadog.host}


def test_a_first_run_makes_all_and_a_second_nothing(seen: Datadog) -> None:
    first = run(**keys(seen))
    writes = len(seen.writes)

    second = run(**keys(seen))

    assert first.returncode == 0
    assert first.stderr == ""
    assert "+ dashboard overview: Sentinel: the guarded API" in first.stdout
    assert second.returncode == 0, second.stderr
    assert len(seen.writes) == writes
    assert " same." in second.stdout


def test_a_dry_run_needs_no_keys_and_shows_what_would_be_sent() -> None:
    done = run("--dry-run")

    assert done.returncode == 0, done.stderr
    assert '"query": "sum(last_10m):sum:sentinel.redis.keys_evicted{*}' in done.stdout


@pytest.mark.parametrize("args", [(), ("--prune",), ("--check",), ("--check", "--dry-run")])
def test_anything_but_a_dry_run_needs_keys(args: tuple[str, ...]) -> None:
    done = run(*args)

    assert done.returncode == 1
    assert "DD_API_KEY and DD_APP_KEY are not set. With --dry-run" in done.stderr


def test_a_dry_run_with_keys_shows_the_difference_and_sends_nothing(datadog: Datadog) -> None:
    done = run("--dry-run", **keys(datadog))

    assert done.returncode == 0, done.stderr
    assert "nothing is sent" in done.stdout
    assert datadog.writes == []


def test_wrong_keys_are_one_line_that_says_what_to_look_at(datadog: Datadog) -> None:
    done = run(**{**keys(datadog), "DD_APP_KEY": "of-another-account"})

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "403, Forbidden. Do DD_API_KEY and DD_APP_KEY belong to the account at" in done.stderr
    assert "of-another-account" not in done.stderr


def test_a_check_asks_datadog_about_each_monitor_and_fails_where_anything_differs(datadog: Datadog) -> None:
    before = run("--check", **keys(datadog))
    run(**keys(datadog))
    after = run("--check", **keys(datadog))

    assert before.returncode == 1
    assert "Datadog does not hold what the code says." in before.stderr
    assert after.returncode == 0, after.stderr
    assert ("POST", "v1/monitor/validate") in datadog.calls


def test_what_failed_is_named_at_the_end_and_the_exit_says_so(datadog: Datadog) -> None:
    datadog.fail("GET", "v1/slo", 429, headers={"X-RateLimit-Reset": "1"})
    datadog.fail("POST", "v1/dashboard", 400, body='{"errors": ["Invalid widget definition at position 3"]}')

    first, second = run(**keys(datadog)), run(**keys(datadog))

    assert first.returncode == 1
    assert "Waiting 1 s" in first.stdout
    assert "! dashboard overview: 400, Invalid widget definition at position 3" in first.stdout
    assert "1 failed: dashboard overview. Another run completes it." in first.stderr
    assert second.returncode == 0, second.stderr
    assert len(datadog.dashboards) == 1
