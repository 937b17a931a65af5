"""docs/erd.svg: whatever the models become, no table covers another and no line runs over one."""

from __future__ import annotations

from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from django.apps import apps
from pages.erd import tables
from pages.erd.draw import Picture, picture_of
from pages.erd.layout import Box
from pages.erd.tables import Column, Table


def crowd() -> list[dict[str, list[Table]]]:
    """Seven apps of one to seven tables that all point to the next, to themselves, and to the first of all."""
    keys = [(f"app{app}", f"Table{number}") for app in range(7) for number in range(app + 1)]
    made: dict[str, list[Table]] = {}
    for place, (app, name) in enumerate(keys):
        next_app, next_name = keys[(place + 1) % len(keys)]
        columns = (
            Column("id", "id", mark="key"),
            Column("next", "→ next", target=f"{next_app}.{next_name}"),
            Column("itself", "→ itself", target=f"{app}.{name}", optional=True),
            Column("first", "→ first", target="app0.Table0"),
        )
        made.setdefault(app, []).append(Table(f"{app}.{name}", app, name, columns * (1 + place % 3)))
    return [made]


@pytest.fixture(params=["the models", "a crowd"])
def picture(request: pytest.FixtureRequest) -> Picture:
    return picture_of(tables.families() if request.param == "the models" else crowd())


def rectangle(picture: Picture, box: Box) -> tuple[float, float, float, float]:
    x = picture.lefts[box.column]
    return x, box.y, x + picture.box_width, box.y + box.height


def meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    """Whether two rectangles share more than an edge."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_no_table_covers_another(picture):
    places = [rectangle(picture, box) for box in picture.placed.boxes]

    assert not any(meet(one, other) for one, other in combinations(places, 2))


def test_no_line_runs_over_a_table(picture):
    places = {box.table.key: rectangle(picture, box) for box in picture.placed.boxes}

    crossed = [
        (route.source.table.key, route.column.name, key)
        for route in picture.routes
        for (x1, y1), (x2, y2) in pairwise(picture.points(route))
        for key, place in places.items()
        if meet((min(x1, x2), min(y1, y2) - 0.1, max(x1, x2), max(y1, y2) + 0.1), place)
    ]

    assert crossed == []


def test_who_hears_the_picture_is_told_every_table_and_relation():
    page = ElementTree.fromstring(picture_of(tables.families()).svg())  # noqa: S314 - our own

    named = {part.get("id"): part.text for part in page}
    title, told = (named[name] for name in page.attrib["aria-labelledby"].split())

    assert page.attrib["role"] == "img"
    assert title == "The tables of the shop and of Sentinel"
    assert all(model.__name__ in told for model in apps.get_app_config("ip_tracking").get_models())
    assert "orders.Order points to accounts.User by customer." in told
