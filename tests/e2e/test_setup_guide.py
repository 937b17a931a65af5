"""docs/setup-guide.md, followed word by word: on a machine of one command, on real services, around a new project."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests

from tests.e2e import processes
from tests.papers import ROOT, Block, blocks, instead, run
from tests.required import require
from tests.run.house import House

pytestmark = pytest.mark.slow

GUIDE = ROOT / "docs/setup-guide.md"
COPIED = ("sentinel", "shop", "ip_tracking", "metrics", "deploy", "manage.py", "requirements.txt")


@pytest.fixture(autouse=True)
def _curl() -> None:
    require("curl", "curl")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the repository, as somebody who fetched it has one, with the packages that are installed here."""
    there = tmp_path / "sentinel"
    there.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, there / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, there / name)
    (there / ".venv").symlink_to(Path(sys.prefix))
    return there


def shell(home: Path, **more: str) -> dict[str, str]:
    """What a new terminal would have, and no more."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **more}


def follow(steps: list[Block], directory: Path, url: str, values: Mapping[str, str]) -> None:
    """Goes through a section: starts what serves, waits until it does, and runs the rest in its order."""
    environ = shell(directory)
    before = ""
    with contextlib.ExitStack() as servers:
        servers.push(lambda kind, *_: _show_logs(directory) if kind else None)
        for number, step in enumerate(steps):
            if step.kind == "sh server":
                command = ["bash", "-c", f"exec {instead(step.text, values)}"]
                servers.enter_context(processes.running(command, environ, directory / f"server{number}.log", directory))
            elif step.kind == "sh":
                if before == "sh server":
                    processes.wait_until(lambda: _answers(url), "the web server's start")
                run(step, directory, environ, values)
            before = step.kind


def test_one_command_and_the_first_attacker(tmp_path):
    """The README's attacker comes first, from an address of their own."""
    with House(tmp_path) as house:
        attack = blocks(ROOT / "README.md", "Try it")[1]
        values = {"http://127.0.0.1:8000": house.url, "203.0.113.9": "203.0.113.77"}
        said = run(Block("sh", attack.text), ROOT, shell(tmp_path), values)
        statuses = re.findall(r"^HTTP/1.1 (\d+)", said, re.MULTILINE)
        # On a machine so slow that ten guesses take longer than being found out, the block comes first.
        assert (len(statuses), statuses[0]) == (11, "401")
        assert statuses[-1] in {"429", "403"}

        for step in blocks(GUIDE, "On one machine"):
            if step.kind == "sh":
                values = {"http://127.0.0.1:8000": house.url}
                run(_without_make(step), ROOT, shell(tmp_path, VAR_DIR=str(tmp_path)), values)


def test_real_services_roles_and_the_first_blocked_attacker(copy):
    here = f"127.0.0.1:{processes.free_port()}"
    with processes.database("guide") as base, processes.redis_server() as store, processes.rabbitmq(copy) as broker:
        values = {
            "postgres://sentinel:choose-one@127.0.0.1:5432/sentinel": base,
            "redis://127.0.0.1:6379/0": store,
            "amqp://sentinel:choose-another@127.0.0.1:5672//": broker,
            "127.0.0.1:8000": here,
        }
        follow(blocks(GUIDE, "On PostgreSQL, Redis and RabbitMQ"), copy, f"http://{here}", values)


def test_a_project_of_ones_own_is_protected(copy, tmp_path):
    here = f"127.0.0.1:{processes.free_port()}"
    project = tmp_path / "mysite"
    project.mkdir()
    with processes.redis_server() as store:
        values = {"redis://127.0.0.1:6379/0": store, "127.0.0.1:8001": here}
        follow(blocks(GUIDE, "Around a project of your own"), project, f"http://{here}/admin/login/", values)


def _show_logs(directory: Path) -> None:
    for log in sorted(directory.glob("server*.log")):
        sys.stderr.write(f"\n{log.name}\n{log.read_text('utf-8')[-2_000:]}")


def _without_make(step: Block) -> Block:
    """`make manage` would look first whether all is installed; what it then runs is this."""
    command = f"{sys.executable} -m sentinel.run manage"
    return Block(step.kind, re.sub(r'make manage COMMAND="([^"]*)"', rf"{command} \1", step.text), step.prints)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).status_code < 500
    except requests.RequestException:
        return False
