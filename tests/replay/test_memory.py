"""A replay's memory depends on neither the length of a log nor the number of addresses in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.replay.lines import line

ROOT = Path(__file__).parents[2]
MIB_KB = 1_024
# Not getrusage, which remembers the process that started this one.
MEASURED = """
import sys
from django.core.management import call_command
import django
django.setup()
call_command("analyze_log", sys.argv[1], "--format", "json")
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")), file=sys.stderr)
"""


def analyzed(path: Path) -> tuple[dict, int]:
    """The report, and the most memory that reading took, in KiB."""
    environment = {**os.environ, "SECRET_KEY": "x1Y2" * 20, "DJANGO_SETTINGS_MODULE": "sentinel.settings"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout), int(done.stderr)


@pytest.mark.slow
def test_a_million_addresses_that_all_show_something_stay_under_512_mib(tmp_path):
    path = tmp_path / "access.log"
    with path.open("w") as log:
        for n in range(1_000_000):
            at = f"{n // 60_000:02d}:{n // 1_000 % 60:02d}:{n % 1_000 // 17:02d}"
            log.write(line(f"/gone/{n}.html", at=at, network=f"{11 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.7"))

    report, kib = analyzed(path)

    assert report["parsed"] == 1_000_000
    assert report["networks_closed"] > 800_000
    assert kib < 512 * MIB_KB


@pytest.mark.slow
def test_a_log_three_times_as_long_takes_as_much_memory(tmp_path):
    """Everything in it is repeated: shoppers, who show nothing, and scanners, whose requests are kept up to a bound,
    which the shorter log has reached (10 repeats: 126 MB, 20: 140, 40: 150, 80: 152).
    """
    shoppers = [line(f"/products/{n}/", status=200, network=f"198.51.100.{n % 250}") for n in range(6_000)]
    scanners = [
        line(f"/old{n % 97}/{n}.php", at=f"12:{n // 60 % 60:02d}:{n % 60:02d}", network=f"203.0.113.{n % 40}")
        for n in range(2_000)
    ]
    once = "".join(shoppers + scanners)
    paths = [tmp_path / "40.log", tmp_path / "120.log"]
    for path, times in zip(paths, (40, 120), strict=True):
        path.write_text(once * times)

    (short, short_kib), (long, long_kib) = map(analyzed, paths)

    assert long["parsed"] == 3 * short["parsed"] == 960_000
    assert long_kib < 1.1 * short_kib
