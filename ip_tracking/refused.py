"""How code inside a view says that the gate refused: the door answers it like any other refusal."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """Carries the gate's Verdict through whatever runs between a login and the door.

    GraphQL lets nothing through: each field fails by itself. graphql-core, on which Python's GraphQL servers are built,
    tells the client an exception's text and its `extensions`.
    """

    def __init__(self, verdict: Any, extensions: dict[str, Any]) -> None:
        super().__init__(extensions["detail"])
        self.verdict = verdict
        self.extensions = extensions
