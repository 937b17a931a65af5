"""How code inside a view says that the gate refused: the door answers it like any other refusal."""

from __future__ import annotations

from typing import Any


class Refused(Exception):  # noqa: N818 - not an error: a verdict on its way to the door
    """Carries the gate's Verdict through whatever runs between a login and the door."""

    def __init__(self, verdict: Any) -> None:
        super().__init__(verdict.refused)
        self.verdict = verdict
