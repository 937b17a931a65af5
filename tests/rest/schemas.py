"""What the OpenAPI document promises, as JSON Schema, so that a body can be held against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

PROBLEM = {"type", "title", "status", "detail"}

Direction = Literal["request", "response"]
# What the other side alone may send is no part of a body.
FOREIGN = {"request": "readOnly", "response": "writeOnly"}


def operations(made: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields each operation behind its name, such as `GET /api/v1/products/`."""
    for path, item in made["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def json_schema(schema: dict[str, Any], made: dict[str, Any], direction: Direction) -> dict[str, Any]:
    """Returns the schema without references. OpenAPI 3.0 says `nullable` where JSON Schema has a type of its own."""
    if "$ref" in schema:
        return json_schema(resolved(schema["$ref"], made), made, direction)
    told = {name: _inner(name, value, made, direction) for name, value in schema.items() if name != "nullable"}
    if "properties" in told:
        foreign = {name for name, inner in schema["properties"].items() if inner.get(FOREIGN[direction])}
        told["properties"] = {name: inner for name, inner in told["properties"].items() if name not in foreign}
        told["required"] = [name for name in told.get("required", []) if name not in foreign]
        # A name that nobody promised is a mistake, but in a problem document, whose type may bring more (RFC 9457).
        told.setdefault("additionalProperties", not told["properties"] or set(told["properties"]) >= PROBLEM)
    return {"anyOf": [{"type": "null"}, told]} if schema.get("nullable") else told


def resolved(reference: str, made: dict[str, Any]) -> Any:
    found: Any = made
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def _inner(name: str, value: Any, made: dict[str, Any], direction: Direction) -> Any:
    if name in ("items", "additionalProperties", "not") and isinstance(value, dict):
        return json_schema(value, made, direction)
    if name in ("allOf", "anyOf", "oneOf"):
        return [json_schema(each, made, direction) for each in value]
    if name == "properties":
        return {key: json_schema(inner, made, direction) for key, inner in value.items()}
    return value
