"""Two review desks side by side: a small one, and one of 50,000 cases over 1,000,000 requests. PostgreSQL only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from ip_tracking.models import CaseFinding, SuspiciousIP
from ip_tracking.models.span import span_of
from ip_tracking.record import partitions

DAYS = 7
RULES = ("probing", "login-brute-force", "sensitive-files", "foreign-software", "exploit-attempt")

# Row n is of case n % cases; spread evenly over the days, one in five an error, one in twenty of a known user.
REQUESTS = """
INSERT INTO ip_tracking_requestlog (
    at, request_id, address, network, method, path, query, route, kind, status, duration_us, user_agent, "user",
    staff, outcome, account, refused, symptoms, shadowed)
SELECT %(until)s::timestamptz - ((n::bigint * 7919) %% %(seconds)s) * interval '1 second', 'r' || n,
    of.network, of.network, 'GET',
    '/products/' || n %% 977, '', 'shop:product-detail', 'catalogue', CASE n %% 5 WHEN 0 THEN 404 ELSE 200 END,
    1000, 'Mozilla/5.0', CASE n %% 20 WHEN 0 THEN (n %% 499)::text ELSE '' END, false,
    CASE n %% 100 WHEN 0 THEN 'payment_ok' ELSE '' END, '', '', CASE n %% 5 WHEN 0 THEN 'missing-path' ELSE '' END, ''
FROM generate_series(1, %(rows)s) AS n
JOIN (SELECT row_number() OVER (ORDER BY id) - 1 AS place, network FROM ip_tracking_suspiciousip) AS of
    ON of.place = n %% %(cases)s
"""
OF_ONE = """
INSERT INTO ip_tracking_requestlog (
    at, request_id, address, network, method, path, query, route, kind, status, duration_us, user_agent, "user",
    staff, outcome, account, refused, symptoms, shadowed)
SELECT %(until)s::timestamptz - (n * 7) * interval '1 second', 'one' || n, %(network)s, %(network)s, 'GET',
    '/gone/' || n, '', '', '', 404, 1000, 'curl/8', '', false, '', '', '', 'missing-path', ''
FROM generate_series(1, %(rows)s) AS n
"""


@contextmanager
def copied(suffix: str) -> Iterator[Callable[[bool], None]]:
    """A copy of the test database; `use(True)` speaks to the copy from then on, `use(False)` to the first again."""
    creation, original = connection.creation, connection.settings_dict["NAME"]
    connection.close()
    creation.clone_test_db(suffix, verbosity=0)  # type: ignore[attr-defined]  # private to nobody: Django's own runner
    copy = creation.get_test_db_clone_settings(suffix)["NAME"]  # type: ignore[attr-defined]

    def use(the_copy: bool) -> None:
        connection.close()
        connection.settings_dict["NAME"] = copy if the_copy else original
        connection.ensure_connection()

    try:
        yield use
    finally:
        use(False)
        creation.destroy_test_db(verbosity=0, keepdb=False, suffix=suffix)


def fill(cases: int, rows: int, now: datetime) -> None:
    SuspiciousIP.objects.bulk_create([_case(number, now) for number in range(cases)], batch_size=5_000)
    ids = SuspiciousIP.objects.order_by("pk").values_list("pk", flat=True)
    CaseFinding.objects.bulk_create([_finding(case, number, now) for number, case in enumerate(ids)], batch_size=5_000)
    partitions.ensure((now - timedelta(days=day)).date() for day in range(DAYS + 2))
    with connection.cursor() as cursor:
        cursor.execute(REQUESTS, {"until": now, "seconds": DAYS * 86_400, "rows": rows, "cases": cases})
    analyze()


def fill_one(network: str, rows: int, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(OF_ONE, {"until": now, "network": network, "rows": rows})
    analyze()


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _case(number: int, now: datetime) -> SuspiciousIP:
    network = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    first, last = span_of(network)
    severity = ("low", "medium", "high", "critical")[number % 4]
    values: dict[str, Any] = {"triage": ("open", "open", "closed")[number % 3]}
    if number % 11 == 0:
        values |= {"enforcement": "block", "enforced_until": now + timedelta(hours=number % 100)}
    return SuspiciousIP(
        network=network, span_first=first, span_last=last, severity=severity, severity_rank=number % 4,
        score=20 * (number % 9), top_rule=RULES[number % len(RULES)],
        first_seen=now - timedelta(hours=number % 100 + 1), last_seen=now - timedelta(minutes=number % 5_000), **values,
    )  # fmt: skip


def _finding(case: int, number: int, now: datetime) -> CaseFinding:
    at = now - timedelta(minutes=number % 5_000)
    hour = at.replace(minute=0, second=0, microsecond=0)
    return CaseFinding(
        case_id=case, rule=RULES[number % len(RULES)], rule_version=1, hour=hour, severity="medium", weight=20,
        count=12, threshold=10, window_s=60, first_seen=at, last_seen=at, evidence=[],
    )  # fmt: skip
