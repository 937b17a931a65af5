"""What the search's `async def` view costs, beside the list's plain one, which answers the same.

Each is asked by eight at once through Django's ASGI handler with one of Django's middleware, on a PostgreSQL of ten
thousand products, in blocks that take turns.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
import statistics
import sys
import time

import django
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.test import AsyncClient, override_settings

ROUNDS, BLOCKS, AT_ONCE, EACH = 5, 4, 8, 4
PATHS = {"async": "/api/v1/products/search/", "sync": "/api/v1/products/"}
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
# One that finds few rows, and one that finds thousands, which the database has to sort and count.
QUERIES = {"few": "search=waxed+parka", "many": "search=oak"}


def compare() -> dict[str, float]:
    call_command("migrate", verbosity=0)
    call_command("seed_shop", "--products", "10000", stdout=io.StringIO())
    found: dict[str, float] = {}
    for name, query in QUERIES.items():
        rounds = [_round(query, number) for number in range(ROUNDS + 1)][1:]  # the first warms up
        ratios = [medians["async"] / medians["sync"] for medians in rounds]
        found[f"{name}_async_vs_sync"] = round(statistics.median(ratios), 3)
        found[f"{name}_spread"] = round(max(ratios) - min(ratios), 3)
        for kind in PATHS:
            found[f"{name}_{kind}_ms"] = round(statistics.median(medians[kind] for medians in rounds), 2)
    return found


def _round(query: str, number: int) -> dict[str, float]:
    """Returns milliseconds a request."""
    took: dict[str, list[float]] = {kind: [] for kind in PATHS}
    for block in range(BLOCKS):
        for kind in random.Random(f"{number} {block}").sample(list(PATHS), len(PATHS)):
            started = time.perf_counter()
            async_to_sync(_block)(f"{PATHS[kind]}?{query}")
            took[kind].append((time.perf_counter() - started) * 1000 / (AT_ONCE * EACH))
    return {kind: statistics.median(times) for kind, times in took.items()}


async def _block(address: str) -> None:
    await asyncio.gather(*(_ask(address) for _ in range(AT_ONCE)))


async def _ask(address: str) -> None:
    client = AsyncClient()
    for _ in range(EACH):
        response = await client.get(address)
        assert response.status_code == 200, response.content


if __name__ == "__main__":
    django.setup()
    with override_settings(MIDDLEWARE=MIDDLEWARE, ROOT_URLCONF="tests.shop.urls"):
        json.dump(compare(), sys.stdout)
