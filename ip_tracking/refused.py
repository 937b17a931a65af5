"""How code inside a view says that the gate refused: the door answers it like any other refusal."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """Carries the gate's Verdict through whatever runs between a login and the door."""

    def __init__(self, verdict: Any) -> None:
        super().__init__(verdict.refused)
        self.verdict = verdict
