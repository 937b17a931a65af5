"""The tree of categories, as a value: who is below whom, and is anybody below itself?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple


class Node(NamedTuple):
    pk: int
    parent: int | None
    slug: str


class Tree:
    """A shop has tens of categories: reading them all is one small query on any database, where a recursive one
    differs by database and loops on a circle.
    """

    def __init__(self, rows: Iterable[tuple[int, int | None, str]]) -> None:
        self._nodes = {node.pk: node for node in (Node(*row) for row in rows)}
        self._children: defaultdict[int | None, list[int]] = defaultdict(list)
        for node in self._nodes.values():
            self._children[node.parent].append(node.pk)

    def branch(self, slug: str) -> list[int]:
        """Returns the keys of a category and all below it, and none where no category has this slug."""
        return next((self.below(node.pk) for node in self._nodes.values() if node.slug == slug), [])

    def below(self, pk: int) -> list[int]:
        """Returns the keys of a category, which comes first, and all below it."""
        found = [pk]
        for above in found:  # grows while it is read
            found.extend(child for child in self._children[above] if child not in found)
        return found

    def line(self, pk: int | None) -> list[str]:
        """Returns the slugs of a category and all above it; ends on a circle too."""
        found: list[str] = []
        while pk in self._nodes and self._nodes[pk].slug not in found:
            found.append(self._nodes[pk].slug)
            pk = self._nodes[pk].parent
        return found

    def has_circle(self) -> bool:
        """Is anybody not below one that has no parent?"""
        below = list(self._children[None])
        for pk in below:  # grows while it is read
            below.extend(self._children[pk])
        return len(below) < len(self._nodes)
