"""The gate's tests once more, on Debian's Redis 7 instead of the wheel's Valkey 9: the same scripts on both."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.required import require

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_gate_passes_its_tests_on_redis_7() -> None:
    binary = require("redis-server", "redis-server")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/gate", "-m", "not slow"],
        env=os.environ | {"TEST_STORE_BINARY": binary},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4_000:]
    assert "store: redis 7." in done.stdout
