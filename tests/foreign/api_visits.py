"""What the review desk's API answers in that project, run as a process of its own; prints what it saw as JSON."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import sys
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.foreign.api_settings"
django.setup()

from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

from ip_tracking import cases  # noqa: E402
from tests.traffic import finding  # noqa: E402

CASES = "/desk/cases/"


def signed_in(name: str, *groups: str) -> Client:
    user = User.objects.create_user(name, password="a good password")
    user.groups.set(Group.objects.filter(name__in=groups))
    basic = base64.b64encode(f"{name}:a good password".encode()).decode()
    return Client(REMOTE_ADDR="192.0.2.10", headers={"Authorization": f"Basic {basic}"})


def main() -> dict[str, Any]:
    call_command("migrate", verbosity=0)
    cases.file([finding()])
    seen: dict[str, Any] = {}

    # 403: the first of that project's ways in is by session, which knows no challenge.
    stranger = Client().get(CASES)
    seen["stranger"] = [stranger.status_code, stranger["Content-Type"]]
    nobody = signed_in("nobody").get(CASES)
    seen["nobody"] = [nobody.status_code, nobody["Content-Type"], nobody.json()["detail"]]

    analyst = signed_in("ana", "Security analyst")
    rows = analyst.get(CASES).json()["results"]
    seen["networks"] = [row["network"] for row in rows]
    one = f"{CASES}{rows[0]['id']}/"
    match = {"If-Match": analyst.get(one)["ETag"]}
    body = {"hours": 1, "reason": "Guesses passwords"}
    blocked = analyst.post(f"{one}block/", body, content_type="application/json", headers=match)
    seen["blocked"] = [blocked.status_code, blocked.json()["case"]["enforcement"]]
    stale = analyst.post(f"{one}block/", body, content_type="application/json", headers=match)
    seen["stale"] = [stale.status_code, stale["Content-Type"]]
    exported = b"".join(analyst.get(f"{CASES}export.csv")).decode("utf-8-sig")
    seen["exported"] = next(csv.DictReader(io.StringIO(exported)))["network"]

    seen["imported"] = sorted(name for name in sys.modules if name.split(".")[0] in ("shop", "sentinel"))
    return seen


if __name__ == "__main__":
    print(json.dumps(main()))  # noqa: T201 - the answer
