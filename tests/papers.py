"""The commands of a page of docs/: which they are, and whether they printed what the page says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FENCE = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A box of a page: `sh` is run, `sh server` is started, `sh not-run` neither."""

    kind: str
    text: str
    prints: str = ""  # the box without a kind right below it


def blocks(page: Path, section: str) -> list[Block]:
    """Returns the boxes of a section, by its heading, in their order."""
    text = page.read_text("utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    assert text, f"{page.name} has no section {section!r}"
    found: list[Block] = []
    for fence in FENCE.finditer(text):
        if fence["kind"]:
            found.append(Block(fence["kind"], fence["text"]))
        else:
            found[-1] = Block(found[-1].kind, found[-1].text, fence["text"])
    return found


def instead(text: str, values: Mapping[str, str]) -> str:
    """Returns the text with what a test has in place of what the page names."""
    for written, value in values.items():
        text = text.replace(written, value)
    return text


def run(block: Block, directory: Path, environ: Mapping[str, str], values: Mapping[str, str]) -> str:
    """Runs one box as a reader would; fails where it fails, or prints something else than the page says."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", instead(block.text, values)],
        cwd=directory,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{block.text}\n{done.stdout}"
    assert printed(block.prints, done.stdout), f"{block.text}\nprinted\n{done.stdout}\nand not\n{block.prints}"
    return done.stdout


def printed(promised: str, output: str) -> bool:
    """Whether the lines that were promised are there, in their order; `...` stands for anything, also for lines."""
    lines = [re.escape(line.strip()).replace(re.escape("..."), ".*") for line in promised.splitlines()]
    return re.search(".*^".join(lines), output, re.MULTILINE | re.DOTALL) is not None
