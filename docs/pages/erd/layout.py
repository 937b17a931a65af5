"""Where each table stands: apps side by side over columns that go through the whole picture.

So the gutters between columns are free from top to bottom, for the lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pages.erd.tables import Table

COLUMNS = 4
ROW, HEAD = 19, 30  # heights of a field and of a table's name
BETWEEN = 18  # tables of a column
TITLE, PADDING = 34, 12  # of an app's panel
CORRIDOR = 44  # between two shelves: for lines, too


@dataclass(frozen=True, slots=True)
class Box:
    table: Table
    column: int
    y: float

    @property
    def height(self) -> float:
        return height(self.table)

    @property
    def middle_of_head(self) -> float:
        return self.y + HEAD / 2

    def middle_of(self, field: int) -> float:
        return self.y + HEAD + ROW * (field + 0.5)


@dataclass(frozen=True, slots=True)
class Panel:
    app: str
    first: int  # column
    columns: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    boxes: tuple[Box, ...]
    panels: tuple[Panel, ...]
    corridors: tuple[float, ...]  # the middle of the free strip above each shelf
    height: float


def place(families: Sequence[Mapping[str, Sequence[Table]]], top: float) -> Layout:
    boxes: list[Box] = []
    panels: list[Panel] = []
    corridors: list[float] = []
    y = top
    for shelf in (part for family in families for part in _shelves(family)):
        corridors.append(y + CORRIDOR / 2)
        y += CORRIDOR
        first = 0
        for app, columns in _widths(shelf).items():
            within = _fill(shelf[app], first, columns, y + TITLE)
            panels.append(Panel(app, first, columns, y, max(box.y + box.height for box in within) + PADDING - y))
            boxes += within
            first += columns
        y = max(panel.y + panel.height for panel in panels)
    return Layout(tuple(boxes), tuple(panels), tuple(corridors), y)


def height(table: Table) -> float:
    return HEAD + ROW * len(table.columns) + 6


def _shelves(family: Mapping[str, Sequence[Table]]) -> list[dict[str, Sequence[Table]]]:
    """Returns the apps of a family by fours: no more stand side by side."""
    apps = list(family)
    return [{app: family[app] for app in apps[n : n + COLUMNS]} for n in range(0, len(apps), COLUMNS)]


def _widths(shelf: Mapping[str, Sequence[Table]]) -> dict[str, int]:
    """Returns so many columns for each app that the tallest is as low as can be."""
    tall = {app: sum(height(table) + BETWEEN for table in tables) for app, tables in shelf.items()}
    widths = dict.fromkeys(shelf, 1)
    for _ in range(COLUMNS - len(widths)):
        able = [app for app in shelf if widths[app] < len(shelf[app])]
        if able:
            widths[max(able, key=lambda app: tall[app] / widths[app])] += 1
    return widths


def _fill(tables: Sequence[Table], first: int, columns: int, top: float) -> list[Box]:
    """Spreads tables over columns of about one height, then sorts each column as they came."""
    heights = [0.0] * columns
    members: list[list[Table]] = [[] for _ in heights]
    for table in sorted(tables, key=lambda table: (-height(table), table.key)):
        shortest = heights.index(min(heights))
        heights[shortest] += height(table) + BETWEEN
        members[shortest].append(table)
    order = {table.key: place for place, table in enumerate(tables)}
    # What others point to stands to the left, as one reads.
    members.sort(key=lambda column: min((order[table.key] for table in column), default=len(order)))
    boxes = []
    for number, column in enumerate(members):
        y = top
        for table in sorted(column, key=lambda table: order[table.key]):
            boxes.append(Box(table, first + number, y))
            y += height(table) + BETWEEN
    return boxes
