"""`make bench`: measures, prints, and writes build/bench.json."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import gate

OUT = Path("build/bench.json")


def main() -> None:
    results = {"gate": gate.measure()}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
