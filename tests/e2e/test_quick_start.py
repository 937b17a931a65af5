"""docs/quick-start.md, followed on `make run`: its boxes with curl in one shell, those with fetch in Node."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e import processes
from tests.papers import ROOT, Block, blocks, instead, printed
from tests.required import require
from tests.run.house import House

pytestmark = pytest.mark.slow

GUIDE = ROOT / "docs/quick-start.md"
MARK = "=== the next box"
LINK = re.compile(r"http://\S+/register/confirm#token=\S+")
FIRST, MAIL = "Before the first step", "Register"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")) as house:
        yield house


def boxes(kind: str, sections: Sequence[str]) -> list[Block]:
    return [block for section in sections for block in blocks(GUIDE, section) if block.kind == kind]


def sections_after(name: str) -> list[str]:
    names = re.findall(r"^## (.+)$", GUIDE.read_text("utf-8"), re.MULTILINE)
    return names[names.index(name) + 1 :]


def follow(house: House, program: list[str], between: str, steps: Sequence[Block], **environ: str) -> None:
    """Runs the boxes as one text, and holds what each printed against what the page says."""
    values = {"http://127.0.0.1:8000": house.url, "var/log/worker.log": str(house.var / "log/worker.log")}
    text = f"\n{between}\n".join(instead(step.text, values) for step in steps)
    done = subprocess.run(
        [*program, text],
        cwd=house.var,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = done.stdout.split(f"{MARK}\n")
    for step, output in zip(steps, said, strict=False):
        assert printed(step.prints, output), f"{step.text}\nprinted\n{output}\n{done.stderr}\nand not\n{step.prints}"
    assert (done.returncode, len(said)) == (0, len(steps)), done.stdout + done.stderr


def new_link(house: House, before: int) -> str:
    """Waits for a mail more than there were."""
    log: Path = house.var / "log/worker.log"
    links = processes.wait_until(lambda: LINK.findall(log.read_text("utf-8"))[before:], "the mail's arrival", 30)
    return str(links[-1])


@pytest.mark.parametrize(
    ("kind", "program", "between"),
    [
        ("sh", ["bash", "-euo", "pipefail", "-c"], f"echo {MARK!r}"),
        ("js", ["node", "--input-type=module", "--eval"], f"console.log({MARK!r});"),
    ],
    ids=["curl", "fetch"],
)
def test_every_box_does_what_the_page_says(house, kind, program, between):
    for name, package in (("curl", "curl"), ("node", "nodejs")):
        require(name, package)
    before = len(LINK.findall((house.var / "log/worker.log").read_text("utf-8")))

    follow(house, program, between, boxes(kind, [FIRST, MAIL]))
    link = new_link(house, before)
    follow(house, program, between, boxes(kind, [FIRST, *sections_after(MAIL)]), LINK=link)


def test_both_ways_have_a_box_in_each_section():
    for section in [FIRST, MAIL, *sections_after(MAIL)]:
        kinds = {block.kind for block in blocks(GUIDE, section)}
        assert kinds == {"sh", "js"}, section
