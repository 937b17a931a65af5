"""Which errors pass by themselves, and how patiently a task is tried again. An error in the code is not: it would be
the same.
"""

from __future__ import annotations

from typing import Any

from django.db import InterfaceError, OperationalError

# The database is away, restarts, or let one of two who waited for each other go.
DATABASE = (OperationalError, InterfaceError)

# After 1, 2, 4... seconds, then every 45: less than the minute after which Redis, as a broker, hands out again what
# waits. A quarter of an hour in all.
PATIENT: dict[str, Any] = {
    "autoretry_for": DATABASE,
    "retry_backoff": 1,
    "retry_backoff_max": 45,
    "retry_jitter": False,
    "max_retries": 24,
    "ignore_result": True,
}
# For what Beat sends again within a minute: fifteen seconds in all.
BRIEF = {**PATIENT, "max_retries": 4}

# Staff may run a failed one again (shop/failures): its arguments are keys and no secrets, and twice does no harm.
RUN_AGAIN: dict[str, Any] = {"run_again": True}
