"""The imports' operations in the OpenAPI document, with examples and every error that each can give."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from shop.errors import MEDIA_TYPE, refusals
from shop.imports.running import MOST_ERRORS
from shop.imports.serializers import ImportSerializer, OptionsSerializer, RowErrorSerializer, UploadSerializer

ID = "0b6d5a52-6b0a-4c0e-9a39-6a1de0c0a9b4"
RUNNING = {
    "id": ID,
    "name": "autumn.csv",
    "size": 9_120_411,
    "dry_run": False,
    "state": "running",
    "failure": "",
    "cancel_asked": False,
    "progress": 0.42,
    "rows_read": 42_000,
    "rows_created": 1_200,
    "rows_updated": 30_100,
    "rows_unchanged": 10_697,
    "rows_failed": 3,
    "errors_count": 4,
    "requested_by": "grace",
    "created_at": "2026-10-01T08:00:00Z",
    "started_at": "2026-10-01T08:00:01Z",
    "finished_at": None,
}
WAITING = {
    **RUNNING,
    "state": "waiting",
    "progress": 0.0,
    "started_at": None,
    **{name: 0 for name in RUNNING if name.startswith(("rows_", "errors_"))},
}
ERROR = {
    "line": 1042,
    "column": "price",
    "value": "19,90",
    "message": "A valid number is required. Write a number with a point and at most two places, as in 19.90.",
}
FILE = "sku,name,category,price,stock\nTAB-00001,Nordic Oak Desk,home/tables,389.90,12\n"
KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Yours for this file, such as a new UUID: the same request with the same key is answered by the import "
    "that the first began, for as long as that is kept. Without a key, as long as that waits or runs.",
    examples=[OpenApiExample("A UUID", "5b1f6a3e-2f0c-4c55-9a39-6a1de0c0a9b4")],
)
LOCATION = OpenApiParameter(
    "Location", location="header", response=[202], description="Where the import tells how far it is."
)
REPLAYED = OpenApiParameter(
    "Idempotent-Replayed", location="header", response=[202], description="`true` where an earlier request began it."
)
SAID = {
    400: ("invalid-request", "Invalid request", "Some values cannot be accepted: `errors` says which and why."),
    401: ("", "Unauthorized", "Authentication credentials were not provided."),
    403: ("", "Forbidden", "This is for staff who may add and change products."),
    404: ("", "Not Found", "There is no such import."),
    409: ("import-over", "Import over", "This import is done."),
    413: ("file-too-large", "File too large", "A file may have 32 MiB. Divide it."),
    415: ("", "Unsupported Media Type", 'Unsupported media type "application/json" in request.'),
    422: ("idempotency-key-reused", "Idempotency-Key used before", "This key was used for another file."),
}


def _refused(*statuses: int) -> list[OpenApiExample]:
    found = []
    for status in statuses:
        name, title, detail = SAID[status]
        kind = f"urn:problem-type:shop:{name}" if name else "about:blank"
        value: dict[str, Any] = {"type": kind, "title": title, "status": status, "detail": detail}
        if status == 400:
            value["errors"] = [
                {"detail": "Line 1: there is no column 'prize'. Do you mean price?", "pointer": "#/file"}
            ]
        found.append(
            OpenApiExample(title, value, response_only=True, status_codes=[str(status)], media_type=MEDIA_TYPE)
        )
    return found


def _answer(value: Any, status: int = 200) -> OpenApiExample:
    return OpenApiExample("Answer", value, response_only=True, status_codes=[str(status)])


ADD = (400, 401, 403, 413, 415, 422)
LOOK = (401, 403, 404)

LIST = extend_schema(
    operation_id="imports_list",
    summary="Imports of products",
    description="Of all staff, newest first.",
    responses={200: ImportSerializer(many=True), **refusals(*LOOK)},
    examples=[_answer(RUNNING), *_refused(401, 403)],
)
CREATE = extend_schema(
    operation_id="imports_create",
    summary="Import products from CSV",
    description="The first line names the columns: `sku` and any of `name`, `category`, `price`, `currency`, `stock`, "
    "`active`, `description`, `slug`. A product that has the SKU is changed in these columns, a SKU that nobody has is "
    "a new product. Good rows are taken, bad ones are listed under `errors/`. The same file again changes nothing.",
    parameters=[OptionsSerializer, KEY, LOCATION, REPLAYED],
    request={"multipart/form-data": UploadSerializer, "text/csv": OpenApiTypes.STR},
    responses={202: ImportSerializer, **refusals(*ADD)},
    examples=[
        OpenApiExample("Two lines", FILE, request_only=True, media_type="text/csv"),
        _answer(WAITING, 202),
        *_refused(*ADD),
    ],
)
RETRIEVE = extend_schema(
    operation_id="imports_retrieve",
    summary="How far an import is",
    responses={200: ImportSerializer, **refusals(*LOOK)},
    examples=[_answer(RUNNING), *_refused(*LOOK)],
)
ERRORS = extend_schema(
    operation_id="imports_errors_list",
    summary="Rows that were not taken, and why",
    description=f"In the order of the file; the first {MOST_ERRORS:,} of them.",
    responses={200: RowErrorSerializer(many=True), **refusals(*LOOK)},
    examples=[_answer(ERROR), *_refused(*LOOK)],
)
ERRORS_CSV = extend_schema(
    operation_id="imports_errors_csv",
    summary="The same as a file for a spreadsheet",
    description="UTF-8 with a byte order mark. What a spreadsheet would take for a formula begins with an apostrophe.",
    responses={
        (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="line, column, value, message"),
        **refusals(*LOOK),
    },
    examples=[
        OpenApiExample(
            "A file",
            'line,column,value,message\r\n1042,price,"19,90",A valid number is required.\r\n',
            response_only=True,
            status_codes=["200"],
            media_type="text/csv",
        ),
        *_refused(*LOOK),
    ],
)
CANCEL = extend_schema(
    operation_id="imports_cancel",
    summary="Cancel an import",
    description="What was written stays. One that runs ends after the batch at hand.",
    request=None,
    responses={202: ImportSerializer, **refusals(*LOOK, 409)},
    examples=[_answer({**RUNNING, "cancel_asked": True}, 202), *_refused(*LOOK, 409)],
)
