"""What axe-core says of a page as it is shown, by the rules of WCAG 2.2 AA."""

from __future__ import annotations

from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.npm import installed

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
GRAVE = {"serious", "critical"}


@cache
def _source() -> str:
    return (installed("axe-core") / "axe.min.js").read_text("utf-8")


def grave(page: Page) -> list[str]:
    """Returns what is serious or critical, one line each. axe-core comes in through the debugger, past the policy."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_source())
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations'], preload: false})", TAGS
    )
    return [_line(rule, node) for rule in found["violations"] if rule["impact"] in GRAVE for node in rule["nodes"]]


def _line(rule: dict[str, Any], node: dict[str, Any]) -> str:
    said = " ".join(check["message"] for check in [*node["any"], *node["all"], *node["none"]])
    return f"{rule['id']} ({rule['impact']}) {node['target'][0]}: {said}"
