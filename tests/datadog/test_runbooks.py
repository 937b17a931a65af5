"""Each monitor that tells somebody has its page, and what a page says to type or click is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands, load_command_class
from django.urls import resolve

from ip_tracking.review.networks import read_duration
from tests.datadog.files import DASHBOARDS, MONITORS, widgets

ROOT = Path(__file__).resolve().parents[2]
PAGES = {path.stem: path.read_text() for path in (ROOT / "docs/runbooks").glob("*.md") if path.stem != "README"}
SERVICES = set(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])
TELLING = {key for key, monitor in MONITORS.items() if "it tells nobody by itself" not in monitor["message"]}
# In italics too: words of the admin, and what is stressed.
ELSEWHERE = {
    "Suspicious IPs", "Periodic tasks", "Gate switches", "To review", "Whom it touches", "false positive", "No data",
    "last run at", "Export Redis statistics", "Sweep the log for what no single client shows",
}  # fmt: skip


def spans(text: str) -> list[str]:
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


def test_each_monitor_that_tells_has_its_page_and_each_page_its_monitor() -> None:
    assert set(PAGES) == TELLING


@pytest.mark.parametrize("key", sorted(TELLING))
def test_a_message_leads_to_its_page(key: str) -> None:
    assert f"Runbook: docs/runbooks/{key}.md" in MONITORS[key]["message"]


@pytest.mark.parametrize("key", sorted(PAGES))
def test_a_page_has_its_three_headings_and_says_something_under_each(key: str) -> None:
    parts = re.split(r"^## (.+)$", PAGES[key], flags=re.MULTILINE)

    assert parts[1::2] == ["What it means", "What to look at", "What to do"]
    assert all(len(part.split()) > 10 for part in parts[2::2])
    assert f"`{key}`" in parts[0]


def test_the_index_names_each_page() -> None:
    index = (ROOT / "docs/runbooks/README.md").read_text()

    assert set(re.findall(r"^\| \[[\w-]+\]\(([\w-]+)\.md\)", index, re.MULTILINE)) == set(PAGES)


@pytest.mark.parametrize("key", sorted(PAGES))
def test_the_commands_of_a_page_are_there_with_their_options(key: str) -> None:
    for span in spans(PAGES[key]):
        if span.startswith("python manage.py "):
            command, *args = shlex.split(span.removeprefix("python manage.py "))
            loaded = load_command_class(get_commands()[command], command)
            read = loaded.create_parser("manage.py", command).parse_args(args)
            for option in ("off", "shadow", "duration"):
                if getattr(read, option, None):
                    read_duration(getattr(read, option))
    assert "manage.py" not in re.sub(r"`python manage\.py [^`]+`", "", PAGES[key]), "a command outside of backticks"


@pytest.mark.parametrize("key", sorted(PAGES))
def test_the_services_of_a_page_are_those_of_the_compose_file(key: str) -> None:
    for span in spans(PAGES[key]):
        if span.startswith("docker compose "):
            action, *rest = shlex.split(span.removeprefix("docker compose "))
            assert action in {"ps", "logs", "exec", "up", "restart", "top"}, span
            assert set(_services(action, rest)) <= SERVICES, span


def _services(action: str, rest: list[str]) -> list[str]:
    words = [word for word, before in zip(rest, ["", *rest], strict=False) if before not in {"--since", "--scale"}]
    named = [word for word in words if not word.startswith("--")]
    return named[:1] if action == "exec" else named


@pytest.mark.parametrize("key", sorted(PAGES))
def test_the_addresses_of_a_page_are_there(key: str) -> None:
    for span in spans(PAGES[key]):
        if span.startswith(("/admin/", "/readyz", "/healthz")):
            assert resolve(span).view_name, span


@pytest.mark.parametrize("key", sorted(PAGES))
def test_what_a_page_calls_by_its_title_is_on_the_dashboard(key: str) -> None:
    groups = [group["definition"]["title"] for each in DASHBOARDS.values() for group in each["widgets"]]
    titles = [*groups, *(widget.get("title", "") for _, widget in widgets())]

    named = {" ".join(title.split()) for title in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", PAGES[key])}

    assert {each for each in named - ELSEWHERE if not any(title.startswith(each) for title in titles)} == set()
