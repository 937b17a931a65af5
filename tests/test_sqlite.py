"""What must hold on SQLite too, run there: the embedded default for trying things out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ON_BOTH = [
    "tests/identity/test_identity_checks.py",
    "tests/metrics/test_redis_export.py",
    "tests/record/test_storage.py",
    "tests/review/api/test_acting.py",
    "tests/review/test_queue.py",
    "tests/shop/test_catalogue.py",
    "tests/shop/test_catalogue_cache.py",
    "tests/shop/test_catalogue_racing_writes.py",
    "tests/shop/test_catalogue_tree.py",
    "tests/shop/test_catalogue_writes.py",
    "tests/shop/test_failed_tasks.py",
    "tests/shop/test_import_api.py",
    "tests/shop/test_import_command.py",
    "tests/shop/test_import_rows.py",
    "tests/shop/test_import_running.py",
    "tests/test_cases.py",
    "tests/test_population.py",
    "tests/test_retention.py",
    "tests/test_same_findings.py",
    "tests/test_second_look.py",
    "tests/test_sweep.py",
    "tests/test_tasks.py",
]


@pytest.mark.slow
@pytest.mark.skipif("sqlite" in os.environ.get("TEST_DATABASE_URL", ""), reason="this is the run on SQLite")
def test_the_record_and_the_cases_hold_on_sqlite(tmp_path: Path) -> None:
    ours = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}  # its run has its own
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--ds=tests.record.sqlite_settings", "-x", "-m", "not slow", *ON_BOTH],
        cwd=Path(__file__).parent.parent,
        env={**ours, "TEST_DATABASE_URL": f"sqlite:///{tmp_path}/unused.sqlite3"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert result.returncode == 0, result.stdout[-6_000:] + result.stderr[-2_000:]
