"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

Row = tuple[str, ...]


def table(head: Row, rows: Sequence[Row]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
