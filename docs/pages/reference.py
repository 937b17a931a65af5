"""docs/api-reference.md: each operation of the OpenAPI document, for people."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from pages import openapi
from pages.openapi import Described
from pages.table import Row, table

PAGE = """# The REST API, operation by operation

Of the same document as `/api/v1/docs/`, where each can be tried, and [openapi.yaml](openapi.yaml), for programs. First
steps: [quick start](quick-start.md). What stays as it is, and for how long: [versions](api-versioning.md). All of it as
requests to click on: [postman_collection.json](postman_collection.json), for Postman and what reads its files.

- **Bodies** are JSON in UTF-8, times are UTC, amounts of money are text with two places.
- **Who is signed in** sends `Authorization: Bearer ...` with the `access` of [a login](#post-authtoken). A token that
  is too old is refused (401) wherever it is sent, also where none is needed: [renew it](#post-authtokenrefresh).
- **Refusals** are problem documents (`application/problem+json`, RFC 9457): go by `status` and `type`. Below stands the
  end of `urn:problem-type:shop:...`; where none stands, `type` is `about:blank`. `invalid-request` lists in `errors`
  each value that cannot be accepted, with its `pointer` or `parameter`. A body that is no JSON is a 400 without a type,
  one of another media type a 415, one without a `Content-Length` (`Transfer-Encoding: chunked`) a 411, a method that a
  path has not a 405.
- **Limits** hold every operation that names some: 429, and [what then](for-consumers.md). Every answer has
  `X-Request-ID`, which support asks for.

{contents}

{tags}
"""

# In the order in which a front end needs them: what stands above a group. A tag that is new stands last.
TAGS = {
    "auth": ("Accounts and sign-ins", "Rules and reasons: [accounts](accounts.md)."),
    "me": ("One's own account", ""),
    "products": ("Products", "Filters, pages, `ETag` and caching: [catalogue](catalogue.md)."),
    "categories": ("Categories", ""),
    "cart": (
        "Cart",
        "Of who is signed in, or of a stranger who holds the `token` that the first answer told: [orders](orders.md).",
    ),
    "checkout": ("Checkout", "`Idempotency-Key`, payment and what may come of it: [orders](orders.md)."),
    "orders": ("Orders", ""),
    "limits": ("Limits", ""),
    "users": ("Accounts, for staff", "Staff need Django's permissions on users, as in the admin."),
    "security": (
        "The review desk",
        "For staff in a group of the [review desk](review.md); who may do what, with examples: "
        "[security API](security-api.md). Problem types begin with `urn:problem-type:security:`: `invalid-request`, "
        "409 `not-done` and `not-undone`, 412 `changed`, 422 `too-many`, 428 `version-required`.",
    ),
}

# What the views ask for within, past their permissions.
WHO = {"security": "staff of the review desk"}
PREFIX = "/api/v1"
CHOICES = re.compile(r"^\* `.*$", re.MULTILINE)
LIMITS = re.compile(r"\n*Limits: .*\.$")
WIDE = 96


def page() -> str:
    made, operations = openapi.operations()
    order = [*TAGS, *sorted({each.tag for each in operations} - set(TAGS))]
    by_tag = sorted(operations, key=lambda each: order.index(each.tag))
    groups = [(tag, list(members)) for tag, members in groupby(by_tag, key=lambda each: each.tag)]
    return PAGE.format(
        contents=table(("", ""), [_contents(tag, members) for tag, members in groups]),
        tags="\n\n".join(_group(tag, members, made) for tag, members in groups),
    )


def _contents(tag: str, members: list[Described]) -> Row:
    links = (f"[`{_short(each)}`](#{_anchor(each)})" for each in members)
    return f"[{_title(tag)[0]}](#{_place(_title(tag)[0])})", " · ".join(links)


def _group(tag: str, members: list[Described], made: dict[str, Any]) -> str:
    title, above = _title(tag)
    parts = [f"## {title}", *([above] if above else []), *(_operation(each, made) for each in members)]
    return "\n\n".join(parts)


def _operation(each: Described, made: dict[str, Any]) -> str:
    told = LIMITS.sub("", each.operation.get("description", "")).strip()
    old = "**Deprecated.** " if each.operation.get("deprecated") else ""
    parts = [
        f"### `{_short(each)}`",
        f"{old}**{each.operation['summary']}.** {told}".strip(),
        " · ".join(_facts(each)),
        *_parameters(each.operation),
        *_body(each.operation, made),
        *_answers(each.operation),
    ]
    return "\n\n".join(parts)


def _facts(each: Described) -> Iterator[str]:
    yield f"For {WHO.get(each.tag, each.who)}"
    if limits := each.operation.get("x-ratelimit-policies"):
        yield "Limits: " + ", ".join(f"`{limit['name']}`" for limit in limits)
    if refused := list(_refusals(each.operation)):
        yield f"Refuses: {', '.join(refused)}"


def _refusals(operation: dict[str, Any]) -> Iterator[str]:
    for status, answer in operation["responses"].items():
        content = answer.get("content", {}).get("application/problem+json")
        if content is None:
            continue
        types = dict.fromkeys(each["value"]["type"] for each in content.get("examples", {}).values())
        names = [name.rpartition(":")[2] for name in types if name != "about:blank"]
        if status == "400":  # every operation that takes something has this one, shown or not
            names = list(dict.fromkeys(["invalid-request", *names]))
        yield " ".join([status, *(f"`{name}`" for name in names)])


def _parameters(operation: dict[str, Any]) -> Iterator[str]:
    rows = [
        (f"`{each['name']}`", _where(each), _kind(each["schema"]), _line(each.get("description", "")))
        for each in operation.get("parameters", ())
    ]
    if rows:
        yield table(("parameter", "in", "takes", ""), rows)


def _where(parameter: dict[str, Any]) -> str:
    must = parameter.get("required") and parameter["in"] != "path"
    old = ", deprecated" if parameter.get("deprecated") else ""
    return f"{parameter['in']}{', must be sent' if must else ''}{old}"


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    kind = str(schema.get("type", ""))
    return {"string": "text", "integer": "number", "array": "list"}.get(kind, kind)


def _body(operation: dict[str, Any], made: dict[str, Any]) -> Iterator[str]:
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        shown = openapi.example(content)
        as_what = "" if kind == "application/json" else f" as `{kind}`"
        yield f"Takes{as_what} {_fields(content['schema'], made)}" + ("." if shown is None else ", such as:")
        if shown is not None:
            yield _box(shown)


def _fields(schema: dict[str, Any], made: dict[str, Any]) -> str:
    found = made["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    names = [name for name, field in found.get("properties", {}).items() if not field.get("readOnly")]
    must = [f"`{name}`" for name in names if name in found.get("required", ())]
    may = [f"`{name}`" for name in names if name not in found.get("required", ())]
    optional = f"if you like {', '.join(may)}" if may else ""
    return " and ".join(part for part in (", ".join(must), optional) if part) or "a body"


def _answers(operation: dict[str, Any]) -> Iterator[str]:
    for status, answer in operation["responses"].items():
        if not status.startswith(("2", "3")):
            continue
        contents = answer.get("content", {})
        fields = [f"`{name}`" for name in answer.get("headers", {}) if not name.startswith("RateLimit")]
        told = f", with {', '.join(fields)}" if fields else ""
        if not contents:
            yield f"Answers {status}{told}, without a body."
        for kind, content in contents.items():
            shown = openapi.example(content)
            as_what = "" if kind == "application/json" else f" as `{kind}`"
            yield f"Answers {status}{as_what}{told}" + ("." if shown is None else ":")
            if shown is not None:
                yield _box(shown)


def _box(value: Any) -> str:
    return f"```json\n{_json(value)}\n```"


def _json(value: Any, indent: str = "", before: int = 0) -> str:
    """JSON that breaks a line only where it would be too long behind its `before` characters."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(indent) + before + len(flat) <= WIDE or not isinstance(value, dict | list):
        return flat
    deeper = f"{indent}  "
    if isinstance(value, dict):
        lines = [f"{deeper}{json.dumps(key)}: {_json(inner, deeper, len(key) + 4)}" for key, inner in value.items()]
    else:
        lines = [f"{deeper}{_json(inner, deeper)}" for inner in value]
    ends = "{}" if isinstance(value, dict) else "[]"
    return f"{ends[0]}\n" + ",\n".join(lines) + f"\n{indent}{ends[1]}"


def _title(tag: str) -> tuple[str, str]:
    return TAGS.get(tag, (tag.capitalize(), ""))


def _short(each: Described) -> str:
    return f"{each.method} {each.path.removeprefix(PREFIX)}"


def _anchor(each: Described) -> str:
    return _place(_short(each))


def _place(heading: str) -> str:
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-")


def _line(text: str) -> str:
    """Without drf-spectacular's list of the choices: they stand beside it."""
    return " ".join(CHOICES.sub("", text).split())
