"""A project that is not ours, with `metrics` and nothing else of this house: no broker, no Redis, no admin."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.e2e.processes import ROOT

PROJECT = """
import sys
import django
from django.conf import settings
from django.urls import path
settings.configure(
    INSTALLED_APPS=["metrics"], ALLOWED_HOSTS=["*"], ROOT_URLCONF="__main__", SECRET_KEY="x",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
from django.test import Client
from metrics.health import healthz, readyz
urlpatterns = [path("healthz", healthz), path("readyz", readyz)]
answer = Client().get("/readyz")
print(answer.status_code, answer.content.decode())
assert not [name for name in sys.modules if name.split(".")[0] in ("ip_tracking", "sentinel", "shop")]
"""


def test_it_is_asked_for_its_database_alone() -> None:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}

    done = subprocess.run(
        [sys.executable, "-c", PROJECT], env=kept, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    status, _, said = done.stdout.partition(" ")
    assert status == "200"
    assert {name: part["state"] for name, part in json.loads(said)["parts"].items()} == {"database": "ok"}
