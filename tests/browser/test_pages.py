"""Each page in each state keeps the Content-Security-Policy (`page` sees to that) and can be read by everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page

from tests.browser.pages import PLACES, Place

# 1280 pixels enlarged four times: WCAG 1.4.10.
NARROW = {"width": 320, "height": 256}

every_place = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)

Visit = Callable[[Place], Page]


@every_place
@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing_grave(
    visit: Visit,
    axe: Callable[[Page], None],
    picture: Callable[[Page, str], None],
    page: Page,
    place: Place,
    look: Literal["light", "dark"],
) -> None:
    page.emulate_media(color_scheme=look)

    visit(place)

    axe(page)
    if place.picture and look == "light":
        picture(page, place.picture)


@every_place
def test_four_times_enlarged_it_scrolls_in_one_direction(visit: Visit, page: Page, place: Place) -> None:
    page.set_viewport_size(NARROW)

    visit(place)

    assert page.evaluate("() => document.scrollingElement.scrollWidth") <= NARROW["width"]
