"""The tree stays one, whoever moves what at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from shop.catalogue.models import Category
from shop.catalogue.tree import Tree
from tests.shop.test_checkout_race import all_at_once

PARENTS = st.lists(st.one_of(st.none(), st.integers(0, 7)), min_size=8, max_size=8)


def climbs_to_the_top(parents: list[int | None], pk: int) -> bool:
    seen: set[int] = set()
    at: int | None = pk
    while at is not None and at not in seen:
        seen.add(at)
        at = parents[at]
    return at is None


@given(PARENTS)
def test_a_circle_is_what_has_no_way_to_the_top(parents: list[int | None]) -> None:
    tree = Tree((pk, parent, str(pk)) for pk, parent in enumerate(parents))

    assert tree.has_circle() == (not all(climbs_to_the_top(parents, pk) for pk in range(8)))


@given(PARENTS, st.integers(0, 7), st.integers(0, 7))
def test_who_is_below_and_who_is_above_agree(parents: list[int | None], one: int, other: int) -> None:
    tree = Tree((pk, parent, str(pk)) for pk, parent in enumerate(parents))

    assert (one in tree.branch(str(other))) == (str(other) in tree.line(one))
    assert tree.branch("nobody") == tree.line(None) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["save", "update"])
def test_moves_that_are_each_right_never_make_a_circle_together(way: str) -> None:
    """Each of ten puts itself below its neighbour: nine may, whoever is last may not."""
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("SQLite in memory refuses a second writer instead of letting it wait.")
    rows = [Category.objects.create(name=str(number), slug=f"c{number}") for number in range(10)]

    def save(index: int) -> None:
        row = Category.objects.get(pk=rows[index].pk)
        row.parent = rows[(index + 1) % 10]
        row.save()

    def update(index: int) -> None:
        Category.objects.filter(pk=rows[index].pk).update(parent=rows[(index + 1) % 10])

    move: Callable[[int], None] = save if way == "save" else update
    ends: Counter[str] = all_at_once(10, move)

    assert ends == {"done": 9, "ValidationError": 1}
    assert not Category.objects.tree().has_circle()
