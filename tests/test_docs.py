"""The papers say what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ip_tracking import conf
from metrics.conf import KEYS as METRICS_KEYS

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]


def test_the_generated_tables_are_in_step_with_the_code():
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_every_setting_is_in_the_settings_page_with_its_default():
    page = (ROOT / "docs/settings.md").read_text()

    named = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))

    assert named == set(conf.KEYS) | set(METRICS_KEYS)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())

    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]

    assert missing == []
