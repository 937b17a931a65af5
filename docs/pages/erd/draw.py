"""The picture itself: SVG without a script or a font of its own, for light and dark pages, and for who hears it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from pages.erd import layout, routes, tables
from pages.erd.layout import COLUMNS, HEAD, PADDING, ROW, TITLE, Box, Layout, Panel
from pages.erd.routes import Lanes, Route
from pages.erd.tables import Table

TOP, LEGEND = 74, 46
LETTER = 6.5  # of 11.5 px text, generously
HUES = ("blue", "green", "amber", "violet", "red", "teal")

STYLE = """
svg{color-scheme:light dark;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
--page:#fbfbfa;--panel:#f1f2f3;--box:#fff;--edge:#d5d9dd;--ink:#1b2530;--soft:#5b6670;
--blue:#1d5fa8;--green:#1d7a46;--amber:#8f5a08;--violet:#6d45a8;--red:#a83a3a;--teal:#0d7377}
@media (prefers-color-scheme:dark){svg{--page:#14181c;--panel:#1b2127;--box:#232a31;--edge:#3a444d;--ink:#e8ecef;
--soft:#a4afb8;--blue:#7db5f0;--green:#76c998;--amber:#e3ae5c;--violet:#bfa0ee;--red:#ee9a9a;--teal:#6fcbcf}}
.page{fill:var(--page)}.panel{fill:var(--panel)}.box{fill:var(--box);stroke:var(--edge)}
text{fill:var(--ink);font-size:11.5px}.h1{font-size:22px;font-weight:650}.app{font-size:14px;font-weight:650}
.name{font-size:13px;font-weight:650;fill:var(--box)}.soft,.type{fill:var(--soft)}.type{text-anchor:end}
.key{font-weight:650}.unique{text-decoration:underline;text-decoration-style:dotted;text-underline-offset:2px}
.line{fill:none;stroke-width:1.5}.rule{stroke:var(--edge);stroke-width:.6}
"""


def page() -> str:
    return picture_of(tables.families()).svg()


def picture_of(families: Sequence[Mapping[str, Sequence[Table]]]) -> Picture:
    placed = layout.place(families, TOP)
    return Picture(placed, routes.find(placed))


class Picture:
    """The measures that every part of the drawing needs."""

    def __init__(self, placed: Layout, found: list[Route]) -> None:
        self.placed, self.routes = placed, found
        self.lanes: Lanes = routes.lanes(found, len(placed.corridors))
        self.hue = {panel.app: HUES[number % len(HUES)] for number, panel in enumerate(placed.panels)}
        self.box_width = _box_width(placed.boxes)
        self.lefts = self._lefts()
        self.width = self.lefts[-1] + self.box_width + self.lanes.width(COLUMNS)
        self.height = placed.height + LEGEND

    def _lefts(self) -> list[float]:
        lefts, x = [], 0.0
        for column in range(COLUMNS):
            x += self.lanes.width(column)
            lefts.append(x)
            x += self.box_width
        return lefts

    def svg(self) -> str:
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'width="{self.width:g}" height="{self.height:g}" role="img" aria-labelledby="title desc">',
            '<title id="title">The tables of the shop and of Sentinel</title>',
            f'<desc id="desc">{escape(self.told())}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{self.width:g}" height="{self.height:g}"/>',
            *self._heading(),
            *(self._panel(panel) for panel in self.placed.panels),
            *(self._line(route) for route in self.routes),
            *(self._box(box) for box in self.placed.boxes),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"

    def told(self) -> str:
        """Returns what the picture says, in words."""
        listed = [
            f"{app}: {', '.join(box.table.name for box in self.placed.boxes if box.table.app == app)}."
            for app in self.hue
        ]
        joined = [
            f"{each.source.table.key} points to {each.column.target} by {each.column.name}." for each in self.routes
        ]
        return " ".join(["Tables by app.", *listed, "Relations.", *joined])

    def _heading(self) -> list[str]:
        x, y = self.lanes.width(0) - PADDING, self.height - LEGEND / 2 + 4
        says = "bold: key · dotted: unique · ?: may be empty · →: points to · *: any number of · fork: many rows to one"
        return [
            f'<text class="h1" x="{x:g}" y="42">The tables of the shop and of Sentinel</text>',
            f'<text class="soft" x="{x:g}" y="64">Made from the models, by app.</text>',
            f'<text class="soft" x="{x:g}" y="{y:g}">{says}</text>',
        ]

    def _panel(self, panel: Panel) -> str:
        left = self.lefts[panel.first] - PADDING
        width = self.lefts[panel.first + panel.columns - 1] + self.box_width + PADDING - left
        return (
            f'<rect class="panel" x="{left:g}" y="{panel.y:g}" width="{width:g}" height="{panel.height:g}" rx="10"/>'
            f'<text class="app" x="{left + PADDING:g}" y="{panel.y + TITLE / 2 + 6:g}" '
            f'style="fill:var(--{self.hue[panel.app]})">{escape(panel.app)}</text>'
        )

    def _box(self, box: Box) -> str:
        x, y, width = self.lefts[box.column], box.y, self.box_width
        colour = f"var(--{self.hue[box.table.app]})"
        rows = [
            f'<rect class="box" x="{x:g}" y="{y:g}" width="{width:g}" height="{box.height:g}" rx="6"/>',
            f'<path style="fill:{colour}" '
            f'd="M{x:g} {y + HEAD:g}v-{HEAD - 6}q0-6 6-6h{width - 12:g}q6 0 6 6v{HEAD - 6}z"/>',
            f'<text class="name" x="{x + 12:g}" y="{y + HEAD / 2 + 5:g}">{escape(box.table.name)}</text>',
        ]
        for number, column in enumerate(box.table.columns):
            middle = box.middle_of(number) + 3
            pointing = f' style="fill:var(--{self._hue_of(column.target)})"' if column.target else ""
            if number:
                rows.append(f'<path class="rule" d="M{x + 12:g} {middle + 1 - ROW / 2 - 4:g}h{width - 24:g}"/>')
            rows.append(
                f'<text class="{column.mark or "field"}" x="{x + 12:g}" y="{middle + 1:g}">{escape(column.name)}</text>'
                f'<text class="type" x="{x + width - 12:g}" y="{middle + 1:g}"{pointing}>'
                f"{escape(column.type)}{' ?' if column.optional else ''}</text>"
            )
        return "<g>" + "".join(rows) + "</g>"

    def _hue_of(self, key: str) -> str:
        return self.hue[key.partition(".")[0]]

    def _line(self, route: Route) -> str:
        """A fork where many rows may stand, a bar for one."""
        points = self.points(route)
        (start, y1), (end, y2) = points[0], points[-1]
        away = 1 if points[1][0] > start else -1
        back = 1 if points[-2][0] > end else -1
        many = "" if route.column.single else f"M{start:g} {y1 - 4:g}l{7 * away} 4l{-7 * away} 4"
        one = f"M{end + 6 * back:g} {y2 - 5:g}v10"
        return (
            f'<path class="line" style="stroke:var(--{self._hue_of(route.column.target)})" '
            f'd="{routes.rounded(points)}{many}{one}"/>'
        )

    def points(self, route: Route) -> list[tuple[float, float]]:
        """Returns where the line begins, turns and ends: from the field to the head of the table it points to."""
        start, end = self._side(route.source, route.out), self._side(route.target, route.into)
        y1, y2 = route.source.middle_of(route.field), route.target.middle_of_head
        return [(start, y1), *self._turns(route, y1, y2), (end, y2)]

    def _side(self, box: Box, gutter: int) -> float:
        return self.lefts[box.column] + (0 if gutter == box.column else self.box_width)

    def _turns(self, route: Route, y1: float, y2: float) -> Sequence[tuple[float, float]]:
        target = route.column.target
        first = self._left_of(route.out) + self.lanes.in_gutter(route.out, target)
        if route.corridor is None:
            return [(first, y1), (first, y2)]
        last = self._left_of(route.into) + self.lanes.in_gutter(route.into, target)
        y = self.placed.corridors[route.corridor] + self.lanes.in_corridor(route.corridor, target)
        return [(first, y1), (first, y), (last, y), (last, y2)]

    def _left_of(self, gutter: int) -> float:
        return self.lefts[gutter - 1] + self.box_width if gutter else 0


def _box_width(boxes: Sequence[Box]) -> float:
    longest = max(len(c.name) + len(c.type) + 2 * c.optional for box in boxes for c in box.table.columns)
    return min(max(LETTER * (longest + 2) + 24, 210), 330)
