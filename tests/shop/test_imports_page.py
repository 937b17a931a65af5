"""docs/imports.md, followed word by word."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from shop.accounts.models import User
from tests.papers import ROOT, blocks, run
from tests.required import require

PAGE = ROOT / "docs/imports.md"


@pytest.fixture
def var() -> Iterator[Path]:
    """The data of a `make run`: a short path, for there would be sockets in it."""
    with tempfile.TemporaryDirectory(prefix="var-") as name:
        yield Path(name)


@pytest.mark.slow
def test_at_the_command_line(tmp_path: Path, var: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "VAR_DIR": str(var)}
    for command in ("migrate --verbosity 0", "seed_shop"):
        subprocess.run(["make", "-s", "manage", f"COMMAND={command}"], cwd=ROOT, env=environ, check=True)

    for block in blocks(PAGE, "At the command line"):
        run(block, ROOT, environ, {"/tmp/products.csv": str(tmp_path / "products.csv")})  # noqa: S108 - the page's


@pytest.mark.django_db(transaction=True)
def test_over_the_api(live_server: LiveServer, workers: None, tmp_path: Path) -> None:
    require("curl", "curl")
    call_command("seed_shop", verbosity=0)
    User.objects.create_superuser("admin", None, "a password")
    values = {"http://127.0.0.1:8000": live_server.url, "PASSWORD": "a password", "sleep 1": ":"}

    for block in blocks(PAGE, "Over the API"):
        run(block, tmp_path, {"PATH": os.environ["PATH"]}, {**values, "/tmp/more.csv": str(tmp_path / "more.csv")})  # noqa: S108
