"""What one process decides is in force in another within two seconds, without a word between the two."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from ip_tracking.gate import decisions
from ip_tracking.models import GateSwitch
from ip_tracking.review.actor import Actor
from ip_tracking.review.switch import turn

pytestmark = pytest.mark.django_db(transaction=True)

WITHIN_S = 2.0
# Python and Django have to start.
START_S = 30.0

DANA = Actor(id="1", name="dana")
VISITOR = "198.51.100.77"

Answer = Callable[[float], str]


@pytest.fixture
def onlooker() -> Iterator[Answer]:
    """Another process that stands at its own door: `onlooker(2.0)` is the next answer that differs from the last."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.gate.onlooker", VISITOR],
        env={**os.environ, "ONLOOKER_DATABASE": str(connection.settings_dict["NAME"])},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=lambda out: [lines.put(line.strip()) for line in out], args=(process.stdout,))
    reader.start()
    yield lambda within_s: lines.get(timeout=within_s)
    process.terminate()
    process.wait(10)
    reader.join(10)
    process.stdout.close()


def test_a_wide_block_and_the_switch_reach_another_process_within_two_seconds(onlooker: Answer) -> None:
    now = datetime.now(UTC)
    assert onlooker(START_S) == "404"

    decisions.decide(
        "block",
        "198.51.100.0/24",
        until=now + timedelta(hours=1),
        reason="a test",
        actor="dana",
        by_person=True,
        now=now,
    )
    assert onlooker(WITHIN_S) == "403"

    turn(GateSwitch.Mode.OFF, 1, actor=DANA, reason="a test of the switch", now=now)
    assert onlooker(WITHIN_S) == "404"

    turn(GateSwitch.Mode.ON, None, actor=DANA, reason="a test of the switch", now=now)
    assert onlooker(WITHIN_S) == "403"


def test_an_exact_block_is_in_force_in_another_process_at_once(onlooker: Answer) -> None:
    now = datetime.now(UTC)
    assert onlooker(START_S) == "404"

    decisions.decide(
        "block", VISITOR, until=now + timedelta(hours=1), reason="a test", actor="dana", by_person=True, now=now
    )
    began_s = time.monotonic()

    assert onlooker(WITHIN_S) == "403"
    assert time.monotonic() - began_s < decisions.REFRESH_S / 2
