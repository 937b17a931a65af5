"""What the document says beyond each operation by itself: SPECTACULAR_SETTINGS["POSTPROCESSING_HOOKS"] names `connect`.

Links say which request an answer leads to, and what of it goes there: for people, for generated clients, and for the
fuzzer, which follows them. An operation of another name than here is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# A link: to which operation, with these parameters, and with this body.
Link = tuple[str, dict[str, str], dict[str, str]]

ETAG = {"If-Match": "$response.header.ETag"}
NUMBER, DECLINED = {"number": "$response.body#/number"}, {"number": "$response.body#/order"}
SLUG, ID = {"slug": "$response.body#/slug"}, {"id": "$response.body#/id"}
LINE = {"sku": "$request.body#/sku", "X-Cart-Token": "$response.body#/token"}
REFRESH = {"refresh": "$response.body#/refresh"}
CREDENTIALS = {"username": "$response.body#/username", "password": "$request.body#/password"}


def _written(kind: str) -> list[Link]:
    return [
        (f"{kind}_retrieve", SLUG, {}),
        (f"{kind}_partial_update", SLUG | ETAG, {}),
        (f"{kind}_destroy", SLUG | ETAG, {}),
    ]


LINKS: dict[tuple[str, str], list[Link]] = {
    ("auth_registration_confirm_create", "201"): [("auth_token_create", {}, CREDENTIALS)],
    ("auth_token_create", "200"): [("auth_token_refresh_create", {}, REFRESH), ("auth_logout_create", {}, REFRESH)],
    ("auth_token_refresh_create", "200"): [("auth_logout_create", {}, REFRESH)],
    ("cart_items_create", "201"): [("cart_items_update", LINE, {}), ("cart_items_destroy", LINE, {})],
    ("checkout_create", "201"): [("orders_retrieve", NUMBER, {}), ("orders_cancel", NUMBER, {})],
    ("checkout_create", "402"): [("orders_pay", DECLINED, {}), ("orders_cancel", DECLINED, {})],
    ("orders_list", "200"): [("orders_retrieve", {"number": "$response.body#/results/0/number"}, {})],
    ("orders_ship", "200"): [("orders_refund", NUMBER, {})],
    ("products_list", "200"): [("products_retrieve", {"slug": "$response.body#/results/0/slug"}, {})],
    ("products_create", "201"): _written("products"),
    ("categories_create", "201"): _written("categories"),
    ("users_create", "201"): [
        ("users_retrieve", ID, {}),
        ("users_partial_update", ID, {}),
        ("users_destroy", ID, {}),
    ],
}

# A search form sends its fields empty: what is left empty is as if it were not sent.
FORMS = {"products_list", "products_search"}


# Any: an OpenAPI document is JSON of every shape, and drf-spectacular's generator has no annotations.
def connect(result: dict[str, Any], generator: Any, **_: object) -> dict[str, Any]:
    operations = {operation.get("operationId"): operation for operation in _operations(result)}
    for (name, status), links in LINKS.items():
        if name in operations:
            answer = operations[name]["responses"][status]
            answer["links"] = {to: _shown(to, *sent) for to, *sent in links if to in operations}
    for name in FORMS & operations.keys():
        for parameter in operations[name]["parameters"]:
            if parameter["in"] == "query":
                parameter["allowEmptyValue"] = True
    return result


def _operations(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in result["paths"].values():
        yield from operations.values()


def _shown(to: str, parameters: dict[str, str], body: dict[str, str]) -> dict[str, Any]:
    link: dict[str, Any] = {"operationId": to}
    if parameters:
        link["parameters"] = parameters
    if body:
        link["requestBody"] = body
    return link
