"""Every variable that Sentinel's project reads: type and default from sentinel/settings.py, the rest from .env.example.

The two are one list, as a test holds: `.env.example` has for each variable what it does, an example, and the default.
"""

from __future__ import annotations

import ast
import os
import re
import runpy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Where the docs say that Sentinel is; the real place is another on each machine.
HOME = Path("/srv/sentinel")

SECTION = re.compile(r"# --- (?P<title>.*?) -+")
EXAMPLE = re.compile(r"# For example: (?P<name>[A-Z][A-Z_]+)=(?P<value>.*)")
ASSIGNMENT = re.compile(r"(?:# )?(?P<name>[A-Z][A-Z_]+)=(?P<value>.*)")
COMPOSE = re.compile(r"\$\{([A-Z][A-Z_]+)(?::([-?])([^}]*))?\}")

# What a reader of settings.py returns, where its name does not say it.
TYPES = {"str": "text", "list": "list, by commas", "int": "number", "float": "number", "flag": "`true` or `false`"}


@dataclass(frozen=True, slots=True)
class Listed:
    """What .env.example says of a variable."""

    name: str
    section: str
    effect: str
    shown: str  # behind the "=": the default
    example: str


@dataclass(frozen=True, slots=True)
class Read:
    """What sentinel/settings.py makes of a variable."""

    type: str
    default: Any  # whatever the reader returns
    needed: bool = False


def listed() -> list[Listed]:
    """Returns the variables of .env.example in their order."""
    found: list[Listed] = []
    section, assigned = "", False
    text: list[str] = []
    examples: dict[str, str] = {}
    for line in (ROOT / ".env.example").read_text("utf-8").splitlines():
        if title := SECTION.fullmatch(line):
            section, text, assigned = title["title"], [], False
        elif example := EXAMPLE.fullmatch(line):
            examples[example["name"]] = example["value"]
        elif assignment := ASSIGNMENT.fullmatch(line):
            name, assigned = assignment["name"], True
            found.append(Listed(name, section, " ".join(text), assignment["value"], examples.get(name, "")))
        elif line.startswith("#"):
            text, assigned = ([] if assigned else text) + [line.lstrip("# ")], False
        else:
            text = []
    return found


@cache
def read() -> Mapping[str, Read]:
    """Returns the variables that settings.py reads, with the defaults of a server in production."""
    tree = ast.parse((ROOT / "sentinel/settings.py").read_text("utf-8"))
    known = _readers(tree)
    values = _settings_of_nobody()
    found: dict[str, Read] = {}
    for call, instead in _calls(tree):
        if _reads(call, known):
            given = _default(call)
            default = _value(given, values) if given is not None else None
            default = _value(instead, values) if instead is not None and default in ("", None) else default
            name = str(call.args[0].value)  # type: ignore[attr-defined]  # a constant, as `_reads` saw
            found.setdefault(name, Read(_type(_reader(call.func, known), call, values), default))
    found["SECRET_KEY"] = Read("text", None, needed=True)
    return found


def behind(dictionary: str) -> Mapping[str, str]:
    """Returns for each key of IP_TRACKING or METRICS the variable that settings.py takes it from, where it is one."""
    tree = ast.parse((ROOT / "sentinel/settings.py").read_text("utf-8"))
    known, named = _readers(tree), _named(tree)
    found = {}
    for key, value in _entries(named[dictionary]):
        # A name or a function of the module may stand there, which read the variable.
        stands_for = value.func if isinstance(value, ast.Call) and not value.args else value
        looked_at = named.get(stands_for.id, value) if isinstance(stands_for, ast.Name) else value
        names = [str(call.args[0].value) for call in ast.walk(looked_at) if _reads(call, known)]  # type: ignore[attr-defined]
        if names:
            found[key] = names[0]
    return found


def of_compose() -> Mapping[str, Read]:
    """Returns the variables that docker-compose.yml alone takes, or a library by itself."""
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    return {name: Read("text", default, needed=sign == "?") for name, sign, default in COMPOSE.findall(text)}


def written(value: Any) -> str:
    """Returns a value as one writes it into a variable."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _readers(tree: ast.Module) -> set[str]:
    """Returns the functions of settings.py that read the variable they are given the name of."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.args.args]
    return {
        function.name
        for function in functions
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        and _reader(call.func, set())
        and [getattr(argument, "id", "") for argument in call.args[:1]] == [function.args.args[0].arg]
    }


def _reader(function: ast.expr, known: set[str]) -> str:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "env":
        return function.attr
    return function.id if isinstance(function, ast.Name) and function.id in known else ""


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, ast.expr | None]]:
    """Yields each call with what stands in its stead, as in `env.str("VAR_DIR", "") or BASE_DIR / "var"`."""
    instead = {
        id(node.values[0]): node.values[1]
        for node in ast.walk(tree)
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, instead.get(id(node))


def _reads(node: ast.AST, known: set[str]) -> bool:
    """Whether a call reads a variable that it names."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    return bool(_reader(node.func, known)) and isinstance(node.args[0], ast.Constant)


def _named(tree: ast.Module) -> dict[str, ast.AST]:
    """Returns the functions and values of settings.py by their names."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    values = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    return {**functions, **values}


def _entries(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                yield str(key.value), value


def _default(call: ast.Call) -> ast.expr | None:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "default"]
    return (*named, *call.args[1:2], None)[0]


def _value(expression: ast.expr, values: Mapping[str, Any]) -> Any:
    return eval(compile(ast.Expression(expression), "settings.py", "eval"), dict(values))  # noqa: S307 - our own settings


def _type(reader: str, call: ast.Call, values: Mapping[str, Any]) -> str:
    if reader == "choice":
        return " or ".join(f"`{each}`" for each in _value(call.args[2], values))
    if reader == "address":
        return "URL: " + ", ".join(f"`{scheme}://`" for scheme in _value(call.args[2], values))
    return TYPES.get(reader, reader)


def _settings_of_nobody() -> dict[str, Any]:
    """Runs settings.py as where no variable is set, but for the two without which it cannot be."""
    with _environment(SECRET_KEY="-" * 50, ENV_FILE="", VAR_DIR=str(HOME / "var")):
        return runpy.run_path(str(ROOT / "sentinel/settings.py")) | {"BASE_DIR": HOME}


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
