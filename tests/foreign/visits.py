"""What happens in the foreign project, run as a process of its own; prints what it saw as JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.foreign.settings"
django.setup()

from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

from ip_tracking.models import RequestLog, SuspiciousIP  # noqa: E402

DEADLINE_S = 10.0


def wait_until(question: Any) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not question():
        if time.monotonic() > deadline:
            raise TimeoutError(question)
        time.sleep(0.02)


def main() -> dict[str, Any]:
    call_command("migrate", verbosity=0)
    call_command("check", "--fail-level", "WARNING", "--tag", "security", stdout=sys.stderr)
    seen: dict[str, Any] = {}

    visitor = Client(REMOTE_ADDR="198.51.100.1")
    answers = [visitor.get("/") for _ in range(41)]
    seen["statuses"] = sorted({answer.status_code for answer in answers})
    seen["last"] = {"status": answers[-1].status_code, "fields": dict(answers[-1].headers)}
    seen["problem"] = answers[-1].json()
    wait_until(lambda: RequestLog.objects.count() == 41)
    seen["routes"] = sorted(set(RequestLog.objects.values_list("route", flat=True)))

    guesser = Client(REMOTE_ADDR="203.0.113.9")
    seen["guesses"] = [
        guesser.post("/sign-in", {"username": "ada", "password": str(number)}).status_code for number in range(10)
    ]
    wait_until(lambda: SuspiciousIP.objects.filter(enforcement="block").exists())
    seen["case"] = SuspiciousIP.objects.values_list("network", "top_rule").get()
    # The decision reaches the store as soon as the case is committed, not with it.
    wait_until(lambda: guesser.get("/").status_code == 403)
    seen["neighbour"] = Client(REMOTE_ADDR="203.0.113.10").get("/").status_code

    ours = ("shop", "sentinel")
    seen["imported"] = sorted(name for name in sys.modules if name.split(".")[0] in ours)
    return seen


if __name__ == "__main__":
    print(json.dumps(main()))  # noqa: T201 - the answer
