"""Every call of `emit` in the project, read from the code itself: what is sent, and what its tags are made of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from metrics import catalogue
from metrics.entry import Event, Metric, ServiceCheck

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("metrics", "ip_tracking", "sentinel", "shop")
CATALOGUE = ROOT / "metrics/catalogue.py"
KINDS = {"count", "gauge", "distribution", "check", "event"}
# Of `event`, the one name that is no tag.
NO_TAG = {"key"}

Entry = Metric | ServiceCheck | Event
ENTRIES: dict[str, Entry] = {
    name: entry for name, entry in vars(catalogue).items() if isinstance(entry, Metric | ServiceCheck | Event)
}


@dataclass(frozen=True)
class Call:
    """`emit.count(catalogue.REQUESTS, route=route)`, or a `partial` of it."""

    where: str
    kind: str
    entry: Entry | None  # None: which one, the code decides when it runs
    tags: dict[str, ast.expr]
    spread: bool  # are there others, by ** or when a `partial` is called?


@cache
def modules() -> dict[Path, ast.Module]:
    """The project's own code without the catalogue, which says everything once."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")) if path != CATALOGUE]
    return {path: ast.parse(path.read_text("utf-8")) for path in paths}


@cache
def calls() -> list[Call]:
    return [call for path, module in modules().items() for node in ast.walk(module) for call in _call(path, node)]


@cache
def named() -> frozenset[str]:
    """Which entries any code names, imports apart."""
    return frozenset(name for module in modules().values() for name in _named(list(ast.walk(module))))


def _named(nodes: list[ast.AST]) -> set[str]:
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module == "metrics.catalogue"]
    own = {alias.name for node in imports for alias in node.names}
    names = {node.id for node in nodes if isinstance(node, ast.Name)} & own
    names |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and _is_name(node.value, "catalogue")}
    return names & ENTRIES.keys()


def _call(path: Path, node: ast.AST) -> Iterator[Call]:
    if not isinstance(node, ast.Call):
        return
    function, arguments, later = node.func, node.args, False
    if _is_name(function, "partial") and arguments:
        (function, *arguments), later = arguments, True
    kind = _kind(path, function)
    if kind and arguments:
        tags = {word.arg: word.value for word in node.keywords if word.arg and word.arg not in NO_TAG}
        spread = later or any(word.arg is None for word in node.keywords)
        yield Call(f"{path.relative_to(ROOT)}:{node.lineno}", kind, _entry(arguments[0]), tags, spread)


def _kind(path: Path, function: ast.expr) -> str:
    """Which function of `emit` that is, "" where it is none; in emit.py itself they go by their names."""
    if isinstance(function, ast.Attribute) and _is_name(function.value, "emit") and function.attr in KINDS:
        return function.attr
    if path.name == "emit.py" and isinstance(function, ast.Name) and function.id in KINDS:
        return function.id
    return ""


def _entry(argument: ast.expr) -> Entry | None:
    if isinstance(argument, ast.Attribute) and _is_name(argument.value, "catalogue"):
        return ENTRIES[argument.attr]
    return ENTRIES.get(argument.id) if isinstance(argument, ast.Name) else None


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
