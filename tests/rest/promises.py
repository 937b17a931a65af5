"""The OpenAPI document as lines that a client may build on: what must not go, and what must not come.

    python -m tests.rest.promises > tests/rest/released.txt

With every release (CONTRIBUTING.md). A line that leaves the file by that is a break of /api/v1/, which its diff shows.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.rest.schemas import json_schema, operations

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/openapi.yaml"
RELEASED = Path(__file__).with_name("released.txt")

RULE = re.compile(r"(?P<operation>\S+ \S+) needs (?P<place>.+) (?P<how>at most|at least|like) (?P<value>\S+)$")
BOUNDS = {"maxLength": "at most", "maximum": "at most", "maxItems": "at most", "minLength": "at least"}
BOUNDS |= {"minimum": "at least", "minItems": "at least"}


def promises(made: dict[str, Any]) -> list[str]:
    """Returns lines such as `GET /api/v1/me/ gives .email: string` and `POST /api/v1/checkout/ needs .card`."""
    return sorted({f"{name} {line}" for name, operation in operations(made) for line in _of(operation, made)})


def broken(released: Iterable[str], now: Iterable[str]) -> list[str]:
    """Returns what a client of the released API can no longer build on."""
    before, after = set(released), set(now)
    known = {line for line in before if line.endswith(" exists")}
    came = [line for line in after - before if " needs " in line and f"{_operation(line)} exists" in known]
    gone = [line for line in before - after if " needs " not in line]
    return [f"no more: {line}" for line in sorted(gone)] + [
        f"new: {line}" for line in sorted(came) if _binds(line, before)
    ]


def _operation(line: str) -> str:
    return " ".join(line.split(" ", 2)[:2])


def _binds(line: str, before: set[str]) -> bool:
    """What is asked of a part that is new asks nothing of older clients; a wider bound asks less than it did."""
    rule = RULE.match(line)
    if rule is None:
        return True
    if not any(each.startswith(f"{rule['operation']} takes {rule['place']}: ") for each in before):
        return False
    if rule["how"] == "like":
        return True
    same = [each for each in map(RULE.match, before) if each and each.groups()[:3] == rule.groups()[:3]]
    limit, earlier = float(rule["value"]), [float(each["value"]) for each in same]
    return not any(limit >= number if rule["how"] == "at most" else limit <= number for number in earlier)


def _of(operation: dict[str, Any], made: dict[str, Any]) -> Iterator[str]:
    yield "exists"
    if {} not in operation.get("security", [{}]):
        yield "needs a token"
    for each in operation.get("parameters", []):
        yield from _taken(f"{each['name']} ({each['in']})", each["schema"], made, bool(each.get("required")))
    body = operation.get("requestBody", {})
    for kind, content in body.get("content", {}).items():
        yield f"takes {kind}"
        yield from _taken("", content["schema"], made, bool(body.get("required")))
    for status, answer in operation["responses"].items():
        for example in answer.get("content", {}).get("application/problem+json", {}).get("examples", {}).values():
            yield f"refuses by {status} {example['value']['type']}"
        if status.startswith("2"):
            yield f"answers {status}"
            for kind, content in answer.get("content", {}).items():
                yield f"gives {kind}"
                yield from _given("", content["schema"], made)


def _taken(where: str, schema: dict[str, Any], made: dict[str, Any], required: bool) -> Iterator[str]:
    for place, kinds, must in _parts(where, json_schema(schema, made, "request"), required):
        if must:
            yield f"needs {place}"
        for kind in kinds:
            yield f"takes {place}: {kind.get('type', 'anything')}"
            yield from (f"takes {place} = {value}" for value in kind.get("enum", ()))
            yield from (f"needs {place} {side} {kind[name]}" for name, side in BOUNDS.items() if name in kind)
            if "pattern" in kind:
                yield f"needs {place} like {kind['pattern']}"


def _given(where: str, schema: dict[str, Any], made: dict[str, Any]) -> Iterator[str]:
    for place, kinds, must in _parts(where, json_schema(schema, made, "response"), required=True):
        types = [kind.get("type") for kind in kinds]
        yield from (f"gives {place}: {name}" for name in types if name not in (None, "null"))
        if must:
            yield f"gives {place} always"
        if "null" not in types:
            yield f"gives {place}, never null"


def _parts(where: str, schema: dict[str, Any], required: bool) -> Iterator[tuple[str, list[dict[str, Any]], bool]]:
    """Yields each part of a schema: its place, such as `.lines[].sku`, what it may be, whether it must be there."""
    kinds = list(_alternatives(schema))
    yield where or "it", kinds, required
    for kind in kinds:
        for name, inner in kind.get("properties", {}).items():
            yield from _parts(f"{where}.{name}", inner, name in kind.get("required", ()))
        if isinstance(kind.get("items"), dict):
            yield from _parts(f"{where}[]", kind["items"], required=False)


def _alternatives(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "allOf" in schema:
        merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
        for each in schema["allOf"]:
            merged = {**each, **merged}
        yield from _alternatives(merged)
        return
    choices = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if not choices:
        yield schema
    for each in choices:
        yield from _alternatives(each)


if __name__ == "__main__":
    sys.stdout.write("\n".join(promises(yaml.safe_load(DOCUMENT.read_text("utf-8")))) + "\n")
