"""Which way each line goes: along gutters and corridors, never over a table. Lines to one table share their lane."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from pages.erd.layout import COLUMNS, Box, Layout
from pages.erd.tables import Column

LANE, MARGIN = 8, 20


@dataclass(frozen=True, slots=True)
class Route:
    source: Box
    field: int
    column: Column
    target: Box
    out: int  # the gutter it leaves by; gutter n is to the left of column n
    into: int
    corridor: int | None


@dataclass(frozen=True, slots=True)
class Lanes:
    """Which targets have a lane in each gutter and corridor, in their order."""

    gutters: tuple[tuple[str, ...], ...]
    corridors: tuple[tuple[str, ...], ...]

    def width(self, gutter: int) -> float:
        return 2 * MARGIN + LANE * max(0, len(self.gutters[gutter]) - 1)

    def in_gutter(self, gutter: int, target: str) -> float:
        return MARGIN + LANE * self.gutters[gutter].index(target)

    def in_corridor(self, corridor: int, target: str) -> float:
        lanes = self.corridors[corridor]
        return LANE * (lanes.index(target) - (len(lanes) - 1) / 2)


def find(layout: Layout) -> list[Route]:
    boxes = {box.table.key: box for box in layout.boxes}
    return [
        _route(box, number, column, boxes[column.target], layout)
        for box in layout.boxes
        for number, column in enumerate(box.table.columns)
        if column.target
    ]


def lanes(routes: list[Route], corridors: int) -> Lanes:
    gutters: list[set[str]] = [set() for _ in range(COLUMNS + 1)]
    strips: list[set[str]] = [set() for _ in range(corridors)]
    for route in routes:
        gutters[route.out].add(route.column.target)
        gutters[route.into].add(route.column.target)
        if route.corridor is not None:
            strips[route.corridor].add(route.column.target)
    return Lanes(tuple(tuple(sorted(each)) for each in gutters), tuple(tuple(sorted(each)) for each in strips))


def rounded(points: list[tuple[float, float]], radius: float = 6) -> str:
    """Returns the path along the points with its corners rounded."""
    path = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for (before, here), (_, after) in pairwise(pairwise(points)):
        near, far = _towards(here, before, radius), _towards(here, after, radius)
        path.append(f"L{near[0]:g} {near[1]:g}Q{here[0]:g} {here[1]:g} {far[0]:g} {far[1]:g}")
    path.append(f"L{points[-1][0]:g} {points[-1][1]:g}")
    return "".join(path)


def _towards(here: tuple[float, float], there: tuple[float, float], radius: float) -> tuple[float, float]:
    dx, dy = there[0] - here[0], there[1] - here[1]
    length = max(abs(dx) + abs(dy), 0.001)  # one of them is 0
    part = min(radius, length / 2) / length
    return round(here[0] + dx * part, 2), round(here[1] + dy * part, 2)


def _route(box: Box, number: int, column: Column, target: Box, layout: Layout) -> Route:
    if target.column > box.column:
        out, into = box.column + 1, target.column
    elif target.column < box.column:
        out, into = box.column, target.column + 1
    else:
        out = into = box.column + 1
    corridor = None
    if out != into:
        y = box.middle_of(number)
        corridor = min(range(len(layout.corridors)), key=lambda n: abs(layout.corridors[n] - y))
    return Route(box, number, column, target, out, into, corridor)
