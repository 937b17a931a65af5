"""The charts: numbers and anybody's labels in, well-formed and inert markup out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from ip_tracking.review.charts import (
    SPANS,
    Mark,
    MarkKind,
    StatusClass,
    Timeline,
    sparkline,
    status_class,
    timeline,
    timeline_svg,
)

NOW = datetime(2026, 3, 2, 12, 34, 56, 789, tzinfo=UTC)
HOUR = timedelta(hours=1)
OK, CLIENT_ERROR, SERVER_ERROR, REFUSED = StatusClass

# What a chart may be made of: no script, no link, nothing that runs or is fetched.
ELEMENTS = {"svg", "title", "desc", "defs", "pattern", "path", "circle", "rect", "g", "text"}
ATTRIBUTES = {"class", "role", "viewBox", "id", "width", "height", "patternUnits", "d", "stroke", "stroke-width"} | {
    *("cx", "cy", "r", "fill", "x", "y", "transform", "text-anchor")
}

HOSTILE = [
    "<script>alert(1)</script>",
    '"/><image href="x" onerror="alert(1)"/>',
    "</title></desc></svg><h1>All clear</h1>",
    "{{ request.user }} {% debug %}",
    "{} {0} {x.__class__}",
    "]]>&lt;b&gt;&amp;",
    "\u202eevil\u2066\u200b\x1b[31m\x00",
]


def parsed(markup: str) -> ElementTree.Element:
    """Raises for what is not well-formed, or holds more than drawings."""
    root = ElementTree.fromstring(markup)  # noqa: S314 - our own markup, or the test fails
    for element in root.iter():
        assert element.tag in ELEMENTS
        assert set(element.attrib) <= ATTRIBUTES
    return root


def drawn(shown: Timeline) -> ElementTree.Element:
    return parsed(timeline_svg(shown))


def of_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Bars and marks, without those of the legend."""
    found = [element for element in root.iter() if element.get("class") == name and element.tag in ("rect", "g")]
    return found[:-1]


def text_of(root: ElementTree.Element) -> str:
    return " ".join(root.itertext())


# Status classes and buckets


@pytest.mark.parametrize(
    ("status", "refused", "expected"),
    [
        (101, "", OK),
        (200, "", OK),
        (302, "", OK),
        (404, "", CLIENT_ERROR),
        (499, "", CLIENT_ERROR),
        (500, "", SERVER_ERROR),
        (429, "site", REFUSED),
        (403, "block", REFUSED),
        (403, "", CLIENT_ERROR),  # the view's own answer
    ],
)
def test_what_the_gate_refused_is_told_apart_from_what_the_view_answered(
    status: int, refused: str, expected: StatusClass
) -> None:
    assert status_class(status, refused) == expected


@pytest.mark.parametrize(
    ("name", "first", "number"),
    [
        ("24h", datetime(2026, 3, 1, 13, tzinfo=UTC), 24),
        ("7d", datetime(2026, 2, 23, 18, tzinfo=UTC), 28),
        ("30d", datetime(2026, 2, 1, tzinfo=UTC), 30),
    ],
)
def test_a_timeline_ends_with_the_hour_or_day_that_is_now(name: str, first: datetime, number: int) -> None:
    shown = timeline([], [], SPANS[name], NOW)

    assert shown.buckets[0].start == first
    assert len(shown.buckets) == number
    assert shown.buckets[-1].start <= NOW < shown.buckets[-1].start + shown.span.step


def test_requests_are_counted_where_they_belong_and_those_outside_left_out() -> None:
    start = SPANS["24h"].start(NOW)
    shown = timeline(
        [
            (start, OK, 3),
            (start + HOUR - timedelta(microseconds=1), OK, 2),
            (start + HOUR, REFUSED, 7),
            (NOW, CLIENT_ERROR, 1),
            (start - timedelta(microseconds=1), OK, 100),
            (NOW + HOUR, OK, 100),
        ],
        [],
        SPANS["24h"],
        NOW,
    )

    assert shown.columns == ["ok", "4xx", "5xx", "refused"]
    assert shown.buckets[0].cells == [5, 0, 0, 0]
    assert shown.buckets[1].cells == [0, 0, 0, 7]
    assert shown.buckets[-1].cells == [0, 1, 0, 0]
    assert shown.totals == [5, 1, 0, 7]


def test_marks_stand_in_their_bucket_in_order() -> None:
    late, early = Mark(NOW, MarkKind.BLOCK, "dana"), Mark(NOW - timedelta(minutes=5), MarkKind.FLAG, "probing")
    outside = Mark(NOW - 2 * timedelta(days=1), MarkKind.FLAG, "old")

    shown = timeline([], [late, early, outside], SPANS["24h"], NOW)

    assert [bucket.marks for bucket in shown.buckets if bucket.marks] == [(early, late)]


# The timeline drawn


def test_bars_are_stacked_to_scale_and_told_apart_without_colour() -> None:
    start = SPANS["24h"].start(NOW)
    shown = timeline([(start, OK, 30), (start, REFUSED, 10), (start + HOUR, OK, 20)], [], SPANS["24h"], NOW)

    root = drawn(shown)

    ok, refused = of_class(root, "class-ok"), of_class(root, "class-refused")
    assert [(bar.get("y"), bar.get("height")) for bar in ok] == [("101.0", "75.0"), ("126.0", "50.0")]
    assert [(bar.get("y"), bar.get("height")) for bar in refused] == [("76.0", "25.0")]
    assert ok[0].get("x") == refused[0].get("x") != ok[1].get("x")
    assert ok[0].get("fill") != refused[0].get("fill")


def test_one_refused_request_among_thousands_is_seen() -> None:
    shown = timeline([(NOW, OK, 50_000), (NOW, REFUSED, 1)], [], SPANS["24h"], NOW)

    assert of_class(drawn(shown), "class-refused")[0].get("height") == "2.0"


def test_marks_are_told_by_shape_and_letter() -> None:
    shown = timeline([], [Mark(NOW, kind, "why") for kind in MarkKind], SPANS["7d"], NOW)

    root = drawn(shown)

    marks = [of_class(root, f"mark-{kind}")[0] for kind in MarkKind]
    assert [mark.findtext("text") for mark in marks] == ["F", "B", "R"]
    assert len({mark.find("path").get("d") for mark in marks}) == 3
    assert len({mark.get("transform") for mark in marks}) == 3  # none hides another


def test_many_marks_of_an_hour_are_one_that_says_how_many() -> None:
    shown = timeline([], [Mark(NOW, MarkKind.FLAG, f"rule-{n}") for n in range(400)], SPANS["24h"], NOW)

    [mark] = of_class(drawn(shown), "mark-flag")
    title = mark.findtext("title")

    assert "flag 2026-03-02 12:34 UTC: rule-4; and 395 more" in title
    assert "rule-5" not in title


def test_a_timeline_says_in_words_what_it_shows() -> None:
    shown = timeline([(NOW, OK, 1_200), (NOW, REFUSED, 34)], [Mark(NOW, MarkKind.REVIEW, "lee")], SPANS["24h"], NOW)

    root = drawn(shown)

    assert root.get("role") == "img"
    assert root[0].tag == "title"
    assert root.findtext("title") == "Requests in 24 hours"
    assert root.findtext("desc") == (
        "1,234 requests: 1,200 ok, 0 4xx, 0 5xx, 34 refused. Most from 2026-03-02 12:00 UTC: 1,234. "
        "Marks: review 2026-03-02 12:34 UTC: lee."
    )


def test_a_timeline_of_nothing_is_drawn() -> None:
    root = drawn(timeline([], [], SPANS["30d"], NOW))

    assert "Marks: none." in root.findtext("desc")
    assert all(of_class(root, f"class-{name}") == [] for name in StatusClass)


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_labels_are_inert_and_visible(label: str) -> None:
    plain, hostile = (
        drawn(timeline([(NOW, OK, 1)], [Mark(NOW, MarkKind.FLAG, text)], SPANS["24h"], NOW)) for text in ("x", label)
    )

    assert [element.tag for element in hostile.iter()] == [element.tag for element in plain.iter()]
    if label.isprintable():
        assert label in text_of(hostile)
    else:
        assert not set(text_of(hostile)) & set("\u202e\u2066\u200b\x1b\x00")


@given(
    st.lists(st.tuples(st.datetimes(timezones=st.just(UTC)), st.sampled_from(StatusClass), st.integers(0, 10**12))),
    st.lists(st.builds(Mark, st.datetimes(timezones=st.just(UTC)), st.sampled_from(MarkKind), st.text())),
    st.sampled_from(list(SPANS.values())),
)
def test_any_numbers_and_labels_make_a_drawing(counted: list, marks: list[Mark], span: object) -> None:
    near = [(NOW - timedelta(minutes=len(marks)), name, number) for _, name, number in counted]
    close = [Mark(NOW, mark.kind, mark.label) for mark in marks]

    drawn(timeline(counted + near, marks + close, span, NOW))


# The sparkline


def bars(root: ElementTree.Element) -> list[str]:
    return re.findall(r"M[^M]+", root.find("path").get("d"))


def test_a_sparkline_has_a_bar_for_each_hour_with_requests() -> None:
    counts = [0] * 22 + [10, 5]

    root = parsed(sparkline(counts, NOW.replace(hour=13, minute=0)))

    assert bars(root) == ["M88 20v-20h3V20z", "M92 20v-10h3V20z"]
    assert (root.get("role"), root.get("viewBox")) == ("img", "0 0 96 21")
    assert root.findtext("title") == "15 requests in 24 hours"
    assert root.findtext("desc") == "Most from 11:00 UTC: 10."


def test_the_least_of_a_sparkline_is_seen() -> None:
    assert bars(parsed(sparkline([1, 1_000_000], NOW)))[0] == "M0 20v-1h3V20z"


def test_a_sparkline_of_nothing_says_so() -> None:
    root = parsed(sparkline([0] * 24, NOW))

    assert root.findtext("desc") == "None."
    assert bars(root) == []


# In a template


def test_templates_draw_both_whatever_the_number_format(settings: object) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    shown = timeline([(NOW, OK, 30_000)], [], SPANS["24h"], NOW)
    page = Template("{% load charts %}{% sparkline counts start %}|{% timeline shown %}")

    spark, line = page.render(Context({"counts": [1_000, 2], "start": NOW, "shown": shown})).split("|")

    assert (spark, line) == (sparkline([1_000, 2], NOW), timeline_svg(shown))
