"""docs/erd.svg: the models as they are, grouped by app. Read, placed, joined, drawn: a file each."""

from __future__ import annotations

from pages.erd.draw import page

__all__ = ["page"]
