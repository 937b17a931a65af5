"""What must hold on SQLite too, run there: the plain flows of orders. Races are tried on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLAIN = ["cart", "checkout", "coupons", "idempotency", "order_mails", "order_migration", "orders", "paying"]


@pytest.mark.skipif("sqlite" in os.environ.get("TEST_DATABASE_URL", ""), reason="this is the run on SQLite")
def test_orders_hold_on_sqlite(tmp_path: Path) -> None:
    ours = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}  # its run has its own
    files = [f"tests/shop/test_{name}.py" for name in PLAIN]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--ds=tests.record.sqlite_settings", "-x", "-m", "not slow", *files],
        cwd=Path(__file__).parent.parent.parent,
        env={**ours, "TEST_DATABASE_URL": f"sqlite:///{tmp_path}/unused.sqlite3"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert result.returncode == 0, result.stdout[-6_000:] + result.stderr[-2_000:]
