"""What was written, told to the cache once it is committed: before that, others still read what was there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from django.db import transaction

from shop.catalogue import generations


def products_changed() -> None:
    transaction.on_commit(lambda: generations.renew(generations.PRODUCTS), robust=True)


def tree_changed() -> None:
    transaction.on_commit(lambda: generations.renew(generations.TREE), robust=True)


class _Moved(threading.local):
    """The products whose stock this thread's transaction moved. What a rollback leaves here is told with the next
    commit, which costs a few entries and shows nothing old.
    """

    def __init__(self) -> None:
        self.keys: set[int] = set()


_moved = _Moved()


def stock_moved(pk: int, names_of: Callable[[set[int]], Iterable[str]]) -> None:
    """`names_of` gives the generations of these products: asked once for all that a transaction moved, after it, when
    no row is locked.
    """
    _moved.keys.add(pk)

    def tell() -> None:
        if keys := set(_moved.keys):
            generations.renew(*names_of(keys))
            _moved.keys -= keys

    transaction.on_commit(tell, robust=True)
