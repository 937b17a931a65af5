"""docs/postman_collection.json: each operation of the OpenAPI document as a request (Postman's format 2.1).

Written here and not by Postman's converter (docs/decisions/0005-dependencies.md). The ids that Postman gives to what it
makes are left out: a file without them can be imported, and stays the same until the API changes.
"""

from __future__ import annotations

import json
import re
from itertools import groupby
from typing import Any

from pages import openapi
from pages.openapi import Described
from pages.reference import LIMITS, TAGS, WHO

FORMAT = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
ABOUT = """Each operation of the shop's API and of the review desk's.

Set `base_url`, and `username` and `password` of an account; send *Sign in*. It keeps the tokens in `token` and
`refresh`, and the other requests send them. A stranger's cart is kept in `cart_token` in the same way."""
VARIABLES = {
    "base_url": "http://127.0.0.1:8000",
    "username": "ada",
    "password": "",
    "token": "",
    "refresh": "",
    "cart_token": "",
}

# What an answer gives that later requests send: the field of the answer, and the variable.
KEPT = {"access": "token", "refresh": "refresh", "token": "cart_token"}
KEEP = """\
const {field} = pm.response.code < 300 && pm.response.json().{field};
if ({field}) pm.collectionVariables.set("{variable}", {field});"""

# What stands in place of an example's text.
INSTEAD = {
    "auth_token_create": {"username": "{{username}}", "password": "{{password}}"},
    "auth_token_refresh_create": {"refresh": "{{refresh}}"},
    "auth_logout_create": {"refresh": "{{refresh}}"},
    "me_password_create": {"current_password": "{{password}}"},
    "me_email_create": {"current_password": "{{password}}"},
    "products_create": {"sku": "TAB-90001", "name": "Northern Oak Desk"},  # the document's own is there already
}
HEADERS = {"Idempotency-Key": "{{$guid}}", "X-Cart-Token": "{{cart_token}}", "If-Match": "*"}

# A token is sent where one is kept, and no empty one: that would be refused.
SEND_KEPT = """\
const token = pm.collectionVariables.get("token");
if (token) pm.request.headers.upsert({ key: "Authorization", value: `Bearer ${token}` });"""

PLACE = re.compile(r"\{(\w+)\}")


def page() -> str:
    made, operations = openapi.operations()
    order = [*TAGS, *sorted({each.tag for each in operations} - set(TAGS))]
    by_tag = sorted(operations, key=lambda each: order.index(each.tag))
    collection = {
        "info": {"name": made["info"]["title"], "description": ABOUT, "schema": FORMAT},
        "item": [
            {"name": TAGS.get(tag, (tag.capitalize(), ""))[0], "item": [_item(each) for each in members]}
            for tag, members in groupby(by_tag, key=lambda each: each.tag)
        ],
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
        "variable": [{"key": name, "value": value} for name, value in VARIABLES.items()],
    }
    return json.dumps(collection, indent=1, ensure_ascii=False) + "\n"


def _item(each: Described) -> dict[str, Any]:
    told = LIMITS.sub("", each.operation.get("description", "")).strip()
    request: dict[str, Any] = {
        "method": each.method,
        "header": _headers(each.operation),
        "url": _url(each),
        "description": f"{told}\n\nFor {WHO.get(each.tag, each.who)}.".strip(),
    }
    if not _needs_token(each.operation):
        request["auth"] = {"type": "noauth"}
    if (body := _body(each.operation)) is not None:
        request["header"].append({"key": "Content-Type", "value": "application/json"})
        request["body"] = {
            "mode": "raw",
            "raw": json.dumps(body, indent=2, ensure_ascii=False),
            "options": {"raw": {"language": "json"}},
        }
    return {"name": each.operation["summary"], "event": _events(each), "request": request, "response": []}


def _url(each: Described) -> dict[str, Any]:
    path = PLACE.sub(r":\1", each.path)
    parameters = each.operation.get("parameters", ())
    url: dict[str, Any] = {
        "raw": f"{{{{base_url}}}}{path}",
        "host": ["{{base_url}}"],
        "path": path.removeprefix("/").split("/"),
    }
    if query := [_query(one) for one in parameters if one["in"] == "query"]:
        url["query"] = query
    if places := PLACE.findall(each.path):
        url["variable"] = [{"key": name, "value": SHOWN.get(name, "1")} for name in places]
    return url


# Of what `make run` fills the shop with, and of the document's examples.
SHOWN = {
    "slug": "nordic-oak-desk",
    "sku": "LIG-00002",
    "number": "0b9c7a64-6f0e-4f2e-9a8e-0d2b6d0f6c11",
    "batch": "1d7ad5d6-64a6-4b8c-8c58-1d0d2b8e1c77",
    "search": "oak",
}


def _query(parameter: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": parameter["name"],
        "value": SHOWN.get(parameter["name"], ""),
        "description": parameter.get("description", ""),
        "disabled": parameter["name"] not in SHOWN,
    }


def _headers(operation: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "key": each["name"],
            "value": HEADERS.get(each["name"], ""),
            "description": each.get("description", ""),
            "disabled": each["name"] not in HEADERS,
        }
        for each in operation.get("parameters", ())
        if each["in"] == "header"
    ]


def _body(operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    return {**(openapi.example(content) or {}), **INSTEAD.get(operation["operationId"], {})}


def _needs_token(operation: dict[str, Any]) -> bool:
    return {} not in operation.get("security", [{}])


def _events(each: Described) -> list[dict[str, Any]]:
    """A script that holds the answer's status against the document, keeps what is to be kept, and sends a token."""
    statuses = ", ".join(each.operation["responses"])
    test = [
        'pm.test("is answered as the document says", () => {',
        f"  pm.expect([{statuses}]).to.include(pm.response.code);",
        "});",
        *_keeps(each.operation),
    ]
    events = [_script("test", test)]
    if not _needs_token(each.operation) and "security" in each.operation:
        events.append(_script("prerequest", SEND_KEPT.splitlines()))
    return events


def _keeps(operation: dict[str, Any]) -> list[str]:
    lines = []
    for status, answer in operation["responses"].items():
        content = answer.get("content", {}).get("application/json")
        shown = openapi.example(content) if content and status.startswith("2") else None
        for field, variable in KEPT.items():
            if isinstance(shown, dict) and field in shown:
                lines += KEEP.format(field=field, variable=variable).splitlines()
    return lines


def _script(listen: str, lines: list[str]) -> dict[str, Any]:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": lines}}
