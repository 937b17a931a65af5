"""What comes from npm, in the versions that package-lock.json names. `make test-all` puts it there."""

from __future__ import annotations

from pathlib import Path

from tests.required import missing

MODULES = Path(__file__).resolve().parents[2] / ".venv/npm/node_modules"


def installed(name: str) -> Path:
    """Returns where the package is; where it is missing the test is skipped by its name, and fails in CI."""
    if not (MODULES / name).is_dir():
        missing(f"{name} is missing: install npm, then run `make test-all`")
    return MODULES / name
