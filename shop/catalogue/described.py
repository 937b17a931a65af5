"""The catalogue's operations in the OpenAPI document, with examples and every error that each can give."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema

from shop import page_size
from shop.catalogue.filters import ProductFilter
from shop.catalogue.paging import CURSOR, MAX_SIZE, PAGE, USUAL_SIZE
from shop.catalogue.serializers import CategorySerializer, CutSerializer, ProductSerializer, StaffProductSerializer
from shop.errors import MEDIA_TYPE, refusals

DESK = {
    "slug": "nordic-oak-desk",
    "sku": "TAB-00001",
    "name": "Nordic Oak Desk",
    "description": "Desk of oak, from our Nordic line.",
    "category": "tables",
    "price": "389.90",
    "currency": "EUR",
    "stock": 12,
}
NEXT = "https://shop.example.com/api/v1/products/?page=2"
TABLES = {"slug": "tables", "name": "Tables", "parent": "home"}
SAID = {
    400: ("invalid-request", "Invalid request", "Some values cannot be accepted: `errors` says which and why."),
    401: ("", "Unauthorized", "Authentication credentials were not provided."),
    403: ("", "Forbidden", "This is for staff who may change the catalogue."),
    404: ("", "Not Found", "There is no such product."),
    409: (
        "written-meanwhile",
        "Written meanwhile",
        "Somebody else wrote at the same moment. Read it again.",
    ),
    412: ("changed-meanwhile", "Changed meanwhile", "This is no longer what you read. Read it again."),
    428: ("if-match-required", "If-Match required", "Send the ETag of what you read as If-Match, or * ..."),
}
# 401 also where everybody may read: what was sent is wrong, not missing.
IF_MATCH = OpenApiParameter(
    "If-Match",
    location="header",
    required=False,
    description="The `ETag` of what you, as staff, read; `*` writes over whatever stands there. Without it: 428.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", location="header", description="An `ETag` that you hold: 304 without a body while it still stands."
)
FIELDS = [
    OpenApiParameter(
        name,
        response=[200, 201],
        location="header",
        description=text,
    )
    for name, text in (
        ("ETag", "Changes with what is shown; a strong one."),
        ("Cache-Control", "`public` for everybody, `private, no-cache` for staff."),
    )
]
LOCATION = OpenApiParameter("Location", response=[201], location="header", description="Where it is from now on.")
PIECES = [
    OpenApiParameter(
        PAGE,
        {"type": "integer", "minimum": 1},
        description="A page by its number, from 1, with the count of all. Not with `cursor`.",
    ),
    OpenApiParameter(
        CURSOR,
        str,
        description="Empty for the first piece of a walk, then what `next` says. Neither repeats nor skips while "
        "products come and go, and costs the same however deep it is. Not with `page`.",
    ),
    page_size.described(USUAL_SIZE, MAX_SIZE),
]


def _filters() -> list[OpenApiParameter]:
    """The filters as the list has them; a price is written as a number with two places."""
    return [
        OpenApiParameter(
            name,
            OpenApiTypes.NUMBER if name.endswith("_price") else str,
            description=str(each.extra["help_text"]),
            enum=[value for value, _ in each.extra["choices"]] if "choices" in each.extra else None,
        )
        for name, each in ProductFilter.base_filters.items()
    ]


def _examples(*statuses: int) -> list[OpenApiExample]:
    return [_refusal(status, *SAID[status]) for status in statuses]


def _refusal(status: int, name: str, title: str, detail: str, **more: Any) -> OpenApiExample:
    kind = f"urn:problem-type:shop:{name}" if name else "about:blank"
    value = {"type": kind, "title": title, "status": status, "detail": detail, **more}
    return OpenApiExample(title, value, response_only=True, status_codes=[str(status)], media_type=MEDIA_TYPE)


def _answer(value: Any, status: int = 200) -> OpenApiExample:
    return OpenApiExample("Answer", value, response_only=True, status_codes=[str(status)])


def _reads(name: str, summary: str, response: Any, example: Any, *refused: int, parameters: Any = ()) -> Any:
    return extend_schema(
        operation_id=name,
        summary=summary,
        parameters=[*parameters, IF_NONE_MATCH, *FIELDS],
        responses={
            (200, "application/json"): response,
            304: None,
            **refusals(*refused),
        },
        examples=[_answer(example), *_examples(*refused)],
    )


def _writes(
    name: str,
    summary: str,
    serializer: Any,
    request: Any,
    answer: Any,
    status: int,
    *refused: int,
    conditional: bool = True,
) -> Any:
    return extend_schema(
        operation_id=name,
        summary=summary,
        request=serializer,
        parameters=[*([IF_MATCH] if conditional else [LOCATION]), *FIELDS],
        responses={
            (status, "application/json") if answer else status: serializer if answer else None,
            **refusals(*refused),
        },
        examples=[
            *([OpenApiExample("Request", request, request_only=True)] if request else []),
            *([_answer(answer, status)] if answer else [IN_USE]),
            *_examples(*refused),
        ],
    )


IN_USE = _refusal(
    409,
    "in-use",
    "In use",
    "This is used by products and stays. Move those first; a product is taken off sale by `active`.",
    used_by=["products"],
)
NEW_DESK: dict[str, Any] = {name: value for name, value in DESK.items() if name != "slug"}
STAFF_DESK = {**DESK, "active": True}
LIST_OF_DESKS = {"count": 41, "next": NEXT, "previous": None, "results": [DESK]}
ADD = (400, 401, 403, 409)
DELETE = (401, 403, 404, 409, 412, 428)
CHANGE = (400, *DELETE)

CATEGORY_LIST = _reads("categories_list", "All categories", CategorySerializer(many=True), TABLES, 401)
CATEGORY_CREATE = _writes(
    "categories_create", "Add a category", CategorySerializer, TABLES, TABLES, 201, *ADD, conditional=False
)
CATEGORY = _reads("categories_retrieve", "One category", CategorySerializer, TABLES, 401, 404)
CATEGORY_PUT = _writes("categories_update", "Replace a category", CategorySerializer, TABLES, TABLES, 200, *CHANGE)
CATEGORY_PATCH = _writes(
    "categories_partial_update", "Change a category", CategorySerializer, {"parent": "home"}, TABLES, 200, *CHANGE
)
CATEGORY_DELETE = _writes("categories_destroy", "Delete a category that nothing uses", None, None, None, 204, *DELETE)

PRODUCT_LIST = _reads(
    "products_list",
    "Products on sale",
    CutSerializer,
    LIST_OF_DESKS,
    *(400, 401, 404),
    parameters=[*_filters(), *PIECES],
)
PRODUCT_SEARCH = _reads(
    "products_search",
    "Search products on sale",
    CutSerializer,
    LIST_OF_DESKS,
    *(400, 404),
    parameters=[*_filters(), *PIECES],
)
PRODUCT_CREATE = _writes(
    "products_create", "Add a product", StaffProductSerializer, NEW_DESK, STAFF_DESK, 201, *ADD, conditional=False
)
PRODUCT = _reads("products_retrieve", "One product", ProductSerializer, DESK, 401, 404)
PRODUCT_PUT = _writes(
    "products_update", "Replace a product", StaffProductSerializer, NEW_DESK, STAFF_DESK, 200, *CHANGE
)
PRODUCT_PATCH = _writes(
    "products_partial_update",
    "Change a product",
    StaffProductSerializer,
    {"price": "349.00"},
    STAFF_DESK,
    200,
    *CHANGE,
)
PRODUCT_DELETE = _writes("products_destroy", "Delete a product that was never sold", None, None, None, 204, *DELETE)
