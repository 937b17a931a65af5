"""The desk stays as quick when fifty cases have become fifty thousand."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from statistics import median

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ip_tracking.models import SuspiciousIP
from tests.review.scale import copied, fill, fill_one

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="a comparison on PostgreSQL"),
]

QUEUE = "/admin/ip_tracking/suspiciousip/"
ROWS, CASES, OF_ONE = 1_000_000, 50_000, 10_000
MOST_QUERIES, MOST_TIMES, RUNS = 12, 3.0, 20
Use = Callable[[bool], None]
Desks = tuple[Client, Use]

# Below this a page is there at once, and a ratio says more of the machine than of us.
NOISE_S = 0.05


def pages() -> dict[str, str]:
    """The same pages on either desk: the ids of the first cases are the same."""
    first = SuspiciousIP.objects.order_by("pk").first()
    assert first is not None
    of_many = ",".join(str(pk) for pk in SuspiciousIP.objects.order_by("pk").values_list("pk", flat=True)[:50])
    return {
        "the queue": QUEUE,
        "the queue, filtered": f"{QUEUE}?severity=high&q=rule:probing",
        "the queue, searched": f"{QUEUE}?tab=all&q=10.0.0.0/28",
        "blocked": f"{QUEUE}?tab=blocked",
        "closed": f"{QUEUE}?tab=closed",
        "a case": f"{QUEUE}{first.pk}/change/",
        "fifty to confirm": f"{QUEUE}act/block/?ids={of_many}",
    }


@pytest.fixture
def desks() -> Iterator[Desks]:
    now = datetime.now(UTC)
    user = get_user_model().objects.create_superuser("kim")
    client = Client(REMOTE_ADDR="192.0.2.10")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    with copied("large") as use:
        use(False)
        fill(cases=50, rows=1_000, now=now)
        use(True)
        fill(cases=CASES, rows=ROWS, now=now)
        yield client, use


def test_the_desk_is_as_quick_when_fifty_cases_have_become_fifty_thousand(desks: Desks) -> None:
    client, use = desks
    _each_page_takes_three_times_as_long_at_most(client, use)
    _no_page_takes_more_queries(client, use)


def _each_page_takes_three_times_as_long_at_most(client: Client, use: Use) -> None:
    use(False)
    took: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for name, address in pages().items():
        for _ in range(RUNS + 1):
            for is_large in (False, True):
                use(is_large)
                took[name, is_large].append(seconds_of(client, address))
    names = {name for name, _ in took}
    # The first of each fills Django's own memos.
    medians = {name: [median(took[name, is_large][1:]) for is_large in (False, True)] for name in names}
    told = {name: f"{large * 1_000:.0f} ms against {small * 1_000:.0f}" for name, (small, large) in medians.items()}
    sys.stderr.write("".join(f"\n{name}: {text}" for name, text in sorted(told.items())) + "\n")
    slow = [told[name] for name, (small, large) in medians.items() if large > MOST_TIMES * max(small, NOISE_S)]
    assert slow == []


def _no_page_takes_more_queries(client: Client, use: Use) -> None:
    """Nor for a case with ten thousand requests of its own, nor for two hundred to confirm."""
    use(True)
    cases = SuspiciousIP.objects.order_by("pk")
    fill_one(cases[0].network, OF_ONE, datetime.now(UTC))
    ids = ",".join(str(pk) for pk in cases.values_list("pk", flat=True)[:200])
    addresses = pages() | {"two hundred to confirm": f"{QUEUE}act/block/?ids={ids}"}
    counts = {name: queries_of(client, address) for name, address in addresses.items()}
    sys.stderr.write(f"\n{counts}\n")
    assert [name for name, count in counts.items() if count > MOST_QUERIES] == []


def seconds_of(client: Client, address: str) -> float:
    began = time.perf_counter()
    response = client.get(address)
    took = time.perf_counter() - began
    assert response.status_code == 200, (address, response.status_code)
    return took


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
