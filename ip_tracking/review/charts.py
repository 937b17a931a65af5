"""Charts drawn on the server: numbers in, SVG out. Pure; no script, no style attribute, readable without colours.

What a chart shows it also says: in `<title>` and `<desc>`, and in the numbers for a table beside it. Colours come from
static/ip_tracking/charts.css, which takes those of the admin's theme, light or dark.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from ip_tracking.event import to_datetime, to_us
from ip_tracking.visible import visible

HOUR = timedelta(hours=1)


class StatusClass(StrEnum):
    """What became of a request. In this order they are stacked, from the bottom."""

    OK = "ok"
    CLIENT_ERROR = "4xx"
    SERVER_ERROR = "5xx"
    REFUSED = "refused"


class MarkKind(StrEnum):
    FLAG = "flag"
    BLOCK = "block"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Span:
    """How far back a timeline goes, in how many steps."""

    title: str
    step: timedelta
    number: int

    def start(self, now: datetime) -> datetime:
        """Returns when the first step begins. The last one holds `now`; they begin at whole hours or days of UTC."""
        step_us = self.step // timedelta(microseconds=1)
        return to_datetime(to_us(now) // step_us * step_us) - (self.number - 1) * self.step


SPANS = {
    "24h": Span("24 hours", HOUR, 24),
    "7d": Span("7 days", 6 * HOUR, 28),
    "30d": Span("30 days", 24 * HOUR, 30),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened to a case. `label`: anybody's text."""

    at: datetime
    kind: MarkKind
    label: str

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M} UTC: {visible(self.label)}"


@dataclass(frozen=True, slots=True)
class Bucket:
    """The requests of one step of time by status class, and what happened to the case in it."""

    start: datetime
    counts: Mapping[StatusClass, int]
    marks: tuple[Mark, ...]

    @property
    def cells(self) -> list[int]:
        """A row of the table, in the order of StatusClass."""
        return [self.counts.get(name, 0) for name in StatusClass]

    @property
    def total(self) -> int:
        return sum(self.cells)


@dataclass(frozen=True, slots=True)
class Timeline:
    """What `timeline_svg` draws and a table tells."""

    span: Span
    buckets: tuple[Bucket, ...]

    @property
    def columns(self) -> list[StatusClass]:
        return list(StatusClass)

    @property
    def totals(self) -> list[int]:
        return [sum(column) for column in zip(*(bucket.cells for bucket in self.buckets), strict=True)]

    @property
    def busiest(self) -> Bucket:
        return max(self.buckets, key=lambda bucket: bucket.total)


def status_class(status: int, refused: str) -> StatusClass:
    """`refused`: who refused it, as the request log says; "" where the view ran."""
    if refused:
        return StatusClass.REFUSED
    if status < 400:
        return StatusClass.OK
    return StatusClass.CLIENT_ERROR if status < 500 else StatusClass.SERVER_ERROR


def timeline(
    counted: Iterable[tuple[datetime, StatusClass, int]], marks: Iterable[Mark], span: Span, now: datetime
) -> Timeline:
    """`counted`: how many requests at which time, summed up before or not. What lies outside the span is left out."""
    start = span.start(now)
    counts: defaultdict[int, Counter[StatusClass]] = defaultdict(Counter)
    happened: defaultdict[int, list[Mark]] = defaultdict(list)
    for at, name, number in counted:
        counts[(at - start) // span.step][name] += number
    for mark in sorted(marks, key=lambda mark: mark.at):
        happened[(mark.at - start) // span.step].append(mark)
    places = range(span.number)
    return Timeline(
        span, tuple(Bucket(start + place * span.step, counts[place], tuple(happened[place])) for place in places)
    )


# The drawing. Numbers are units of the view box: lanes for the marks on top, bars, times, the legend.

WIDTH, HEIGHT = 720, 216
TOP, BOTTOM = 76, 176
LEAST = 2  # of a bar: one refused request among thousands is still seen

LANES = {MarkKind.FLAG: 56, MarkKind.BLOCK: 34, MarkKind.REVIEW: 12}
SHAPES = {  # centred on the letter
    MarkKind.FLAG: "M0 -11L10 7H-10Z",
    MarkKind.BLOCK: "M-9 -9H9V9H-9Z",
    MarkKind.REVIEW: "M0 -10A10 10 0 1 0 0 10A10 10 0 1 0 0 -10Z",
}
MARKS_TOLD = 20

# Empty, hatched, dotted, full: what tells the classes apart where colours do not.
FILLS = {
    StatusClass.OK: "none",
    StatusClass.CLIENT_ERROR: "url(#chart-hatched)",
    StatusClass.SERVER_ERROR: "url(#chart-dotted)",
    StatusClass.REFUSED: "currentColor",
}
PATTERNS = mark_safe(
    '<defs><pattern id="chart-hatched" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<path class="class-4xx" d="M-1 1L1 -1M0 6L6 0M5 7L7 5" stroke="currentColor" stroke-width="2"/></pattern>'
    '<pattern id="chart-dotted" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<circle class="class-5xx" cx="2.5" cy="2.5" r="1.7" fill="currentColor"/></pattern></defs>'
)


def timeline_svg(shown: Timeline) -> SafeString:
    return format_html(
        '<svg class="chart timeline" role="img" viewBox="0 0 {} {}"><title>Requests in {}</title><desc>{}</desc>'
        "{}{}{}{}{}</svg>",
        WIDTH,
        HEIGHT,
        shown.span.title,
        _told(shown),
        PATTERNS,
        format_html_join("", BAR, _bars(shown)),
        format_html_join("", MARK, _marks(shown)),
        format_html_join("", TEXT, _axis(shown)),
        _legend(),
    )


def _told(shown: Timeline) -> str:
    sums = ", ".join(f"{total:,} {name}" for name, total in zip(StatusClass, shown.totals, strict=True))
    marks = [str(mark) for bucket in shown.buckets for mark in bucket.marks]
    more = f"; and {len(marks) - MARKS_TOLD} more" if len(marks) > MARKS_TOLD else ""
    return (
        f"{sum(shown.totals):,} requests: {sums}. Most from {shown.busiest.start:%Y-%m-%d %H:%M} UTC: "
        f"{shown.busiest.total:,}. Marks: {'; '.join(marks[:MARKS_TOLD]) or 'none'}{more}."
    )


BAR = '<rect class="class-{}" fill="{}" stroke="currentColor" x="{}" y="{}" width="{}" height="{}"/>'


def _bars(shown: Timeline) -> Iterator[tuple[str, ...]]:
    most = shown.busiest.total
    for place, bucket in enumerate(shown.buckets):
        foot: float = BOTTOM
        for name, number in zip(StatusClass, bucket.cells, strict=True):
            if number:
                tall = max(number / most * (BOTTOM - TOP), LEAST)
                foot -= tall
                left = _left(shown, place) + 1
                yield name, FILLS[name], _units(left), _units(foot), _units(_wide(shown) - 2), _units(tall)


MARK = '<g class="mark-{}" transform="translate({} {})"><title>{}</title><path d="{}"/><text y="4">{}</text></g>'


def _marks(shown: Timeline) -> Iterator[tuple[str, ...]]:
    """One of each kind in a bucket, with the first few in words."""
    for place, bucket in enumerate(shown.buckets):
        for kind in MarkKind:
            told = [str(mark) for mark in bucket.marks if mark.kind == kind]
            if told:
                more = f"; and {len(told) - 5} more" if len(told) > 5 else ""
                middle = _left(shown, place) + _wide(shown) / 2
                said = "; ".join(told[:5]) + more
                yield kind, _units(middle), str(LANES[kind]), said, SHAPES[kind], kind[0].upper()


TEXT = '<text x="{}" y="{}" text-anchor="{}">{}</text>'


def _axis(shown: Timeline) -> Iterator[tuple[str, ...]]:
    """The times of the first, middle and last bucket, and how many the tallest bar stands for."""
    yield "0", str(TOP - 4), "start", f"{shown.busiest.total:,}"
    last = len(shown.buckets) - 1
    for place, anchor in ((0, "start"), (last // 2, "middle"), (last, "end")):
        x = {"start": 0.0, "end": float(WIDTH)}.get(anchor, _left(shown, place))
        yield _units(x), str(BOTTOM + 13), anchor, f"{shown.buckets[place].start:%m-%d %H:%M}"


LEGEND_CLASS = '<rect class="class-{}" fill="{}" stroke="currentColor" x="{}" y="202" width="12" height="12"/>{}'
LEGEND_MARK = '<g class="mark-{}" transform="translate({} 207) scale(0.7)"><path d="{}"/><text y="4">{}</text></g>{}'


def _legend() -> SafeString:
    classes = (
        (name, FILLS[name], place * 90, format_html(TEXT, place * 90 + 18, 212, "start", name))
        for place, name in enumerate(StatusClass)
    )
    marks = (
        (kind, x := 380 + place * 90, SHAPES[kind], kind[0].upper(), format_html(TEXT, x + 12, 212, "start", kind))
        for place, kind in enumerate(MarkKind)
    )
    return format_html("{}{}", format_html_join("", LEGEND_CLASS, classes), format_html_join("", LEGEND_MARK, marks))


def _wide(shown: Timeline) -> float:
    return WIDTH / len(shown.buckets)


def _left(shown: Timeline, place: int) -> float:
    return place * _wide(shown)


def _units(number: float) -> str:
    return f"{number:.1f}"


# A sparkline: one path of bars, 4 wide and at most 20 tall.

SPARK_TALL = 20


def sparkline(counts: Sequence[int], start: datetime, step: timedelta = HOUR) -> SafeString:
    """Draws one bar for each step; `start`: when the first begins."""
    most = max(counts, default=0)
    bars = (
        f"M{place * 4} {SPARK_TALL}v-{max(round(number * SPARK_TALL / most), 1)}h3V{SPARK_TALL}z"
        for place, number in enumerate(counts)
        if number
    )
    return format_html(
        '<svg class="chart sparkline" role="img" viewBox="0 0 {} {}"><title>{}</title><desc>{}</desc>'
        '<path d="{}" fill="currentColor"/><path d="M0 {}H{}" stroke="currentColor"/></svg>',
        len(counts) * 4,
        SPARK_TALL + 1,
        f"{sum(counts):,} requests in {len(counts) * step // HOUR} hours",
        f"Most from {start + counts.index(most) * step:%H:%M} UTC: {most:,}." if most else "None.",
        "".join(bars),
        SPARK_TALL + 0.5,
        len(counts) * 4,
    )
