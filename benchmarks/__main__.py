"""`make bench`: starts what is needed, measures, prints, and writes build/bench.json."""

from __future__ import annotations

import importlib
import json
import os
import tempfile
from pathlib import Path

import django
from celery import Celery
from django.core.management import call_command

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
        "BENCH_DIRECTORY": str(directory),
        # Nobody listens there: what an Agent costs is its own.
        "DD_DOGSTATSD_URL": "udp://127.0.0.1:18125",
    }
    # Importing `sentinel` made its own Celery application the current one; this one's broker is the server above.
    Celery("bench", broker=broker_url(directory, 1)).set_default()
    django.setup()
    call_command("migrate", verbosity=0)
    # Needs the settings, so not before they are chosen.
    gate = importlib.import_module("benchmarks.gate")
    background = importlib.import_module("ip_tracking.background").background
    try:
        return {"gate": gate.measure(), "replay": importlib.import_module("benchmarks.replay").measure()}
    finally:
        background.close()


if __name__ == "__main__":
    main()
