"""Another serving process: asks its own door again and again, and prints each answer that differs from the last."""

from __future__ import annotations

import os
import sys
import time

import django
from django.conf import settings

settings.DATABASES["default"]["NAME"] = os.environ["ONLOOKER_DATABASE"]
settings.IP_TRACKING = {**settings.IP_TRACKING, "BACKGROUND": True, "RECORD": "off"}
django.setup()

from django.test import Client  # noqa: E402

EVERY_S = 0.02
LONGEST_S = 60.0


def main() -> None:
    client, seen = Client(REMOTE_ADDR=sys.argv[1]), 0
    until_s = time.monotonic() + LONGEST_S
    while time.monotonic() < until_s:
        status = client.get("/none").status_code
        if status != seen:
            print(status, flush=True)  # noqa: T201 - what the test reads
            seen = status
        time.sleep(EVERY_S)


if __name__ == "__main__":
    main()
