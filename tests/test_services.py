"""What the tests themselves stand on: services that end with their run, and a database that is as `migrate` left it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask

from ip_tracking.models import SuspiciousIP
from tests.review.conftest import file
from tests.traffic import finding

ROOT = Path(__file__).resolve().parent.parent


def flush() -> None:
    """As Django does after each test of real transactions."""
    call_command("flush", verbosity=0, interactive=False)


def running_in(directory: str) -> list[list[str]]:
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if any(directory in word for word in line)]


@pytest.mark.skipif("TEST_DATABASE_URL" in os.environ, reason="this run starts no PostgreSQL")
def test_nothing_is_left_of_a_run() -> None:
    with tempfile.TemporaryDirectory(prefix="run-") as directory:
        env = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}

        subprocess.run(
            [sys.executable, "-c", "import tests.services"], cwd=ROOT, env=env | {"TMPDIR": directory}, check=True
        )

        assert os.listdir(directory) == []
        assert running_in(directory) == []


@pytest.mark.django_db(transaction=True)
def test_what_migrations_made_outlives_a_flush_and_nothing_else_does() -> None:
    made = [model.objects.count() for model in (Group, Permission, PeriodicTask)]
    file(finding())

    flush()

    assert [model.objects.count() for model in (Group, Permission, PeriodicTask)] == made
    assert 0 not in made
    assert not SuspiciousIP.objects.exists()


@pytest.mark.django_db
def test_a_test_that_adds_to_what_migrations_made_is_told() -> None:
    Group.objects.create(name="left behind")

    with pytest.raises(AssertionError, match="auth_group"):
        flush()
