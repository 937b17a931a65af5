"""Which state of the catalogue is this? Each thing that what is shown depends on has a generation in the cache.

A generation is a random word and no count: one that was evicted, or lost with its server, comes back as another and
never as one that was there before, so deleting it is as good as renewing it. Writers renew it after their commit.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from django.core.cache import cache

TREE = "tree"
PRODUCTS = "products"  # everything about products but how many there are
STOCK = "stock"  # how many there are of any product

PREFIX = "catalogue-generation:"
# Longer than any entry of shop/catalogue/cached.py lives; after it each entry is computed once more.
LIFETIME_S = 3600


def stock_in(category: str) -> str:
    """Of the products in this category and all below it."""
    return f"stock-in:{category}"


def stock_of(product: str) -> str:
    return f"stock-of:{product}"


def state_of(names: Sequence[str]) -> str | None:
    """Returns what they stand at, or None where the cache cannot tell."""
    keys = {name: PREFIX + name for name in names}
    found: dict[str, str] = cache.get_many(list(keys.values()))
    missing = [key for key in keys.values() if key not in found]
    for key in missing:
        # Of two who find none, both go by the one that was first.
        cache.add(key, _word(), LIFETIME_S)
    if missing:
        found |= cache.get_many(missing)
    if len(found) < len(keys):
        return None
    return ".".join(f"{name}={found[key]}" for name, key in keys.items())


def renew(*names: str) -> None:
    # Set and not deleted or counted up: a write that is lost with the server is one that metrics.cache makes up for.
    cache.set_many({PREFIX + name: _word() for name in names}, LIFETIME_S)


def _word() -> str:
    return secrets.token_hex(6)
