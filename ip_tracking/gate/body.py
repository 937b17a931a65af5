"""The values at a place of a request's body, JSON or form, as whatever view comes after would read them."""

from __future__ import annotations

import codecs
import json
import math
import re
from io import BytesIO
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict, RawPostDataException
from django.http.multipartparser import MultiPartParser, MultiPartParserError

# Stands for what is too much to look at, or cannot be read: one value that all such requests share.
TOO_MUCH = "*"

# Nothing longer is read at the door.
MOST_BODY_BYTES = 65_536

MULTIPART = "multipart/form-data"
FORMS = (MULTIPART, "application/x-www-form-urlencoded")
UTF_8 = "utf-8"

# What reading a stranger's query or body may raise.
UNREADABLE = (
    ValueError,
    LookupError,
    RecursionError,
    OSError,
    SuspiciousOperation,
    MultiPartParserError,
    RawPostDataException,
)

# REST framework reads a list in a form from fields named items[0]sku.
INDEX = re.compile(r"\[[0-9]*\]\.?")


def values_in(request: HttpRequest, path: list[str]) -> list[str]:
    """The values of a form's field, or at a dotted path of a JSON body, through every list on the way.

    JSON is looked for whatever the type says: many a view reads it without looking. And only as UTF-8: in another
    encoding the same bytes are one value here and another to such a view.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BODY_BYTES:
        return [TOO_MUCH]
    body = request.body  # Django keeps it: the view reads it again, as a form too
    if not body:
        return []
    if len(body) > MOST_BODY_BYTES or codecs.lookup(request.encoding or UTF_8).name != UTF_8:
        return [TOO_MUCH]
    if request.content_type not in FORMS:
        return _at(json.loads(body), path)
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    return _in_form(request, body, ".".join(path)) + _at(document, path)


def _in_form(request: HttpRequest, body: bytes, name: str) -> list[str]:
    if request.content_type == MULTIPART:
        # Not request.POST: a view may still choose its upload handlers. Without any, files are passed over.
        form = MultiPartParser(request.META, BytesIO(body), [], UTF_8).parse()[0]
    else:
        form = QueryDict(body, encoding=UTF_8)
    return [value for field, values in form.lists() if INDEX.sub(".", field).strip(".") == name for value in values]


def _at(document: Any, path: list[str]) -> list[str]:
    found = _opened([document])
    for name in path:
        found = _opened([item.get(name) for item in found if isinstance(item, dict)])
    return [_text(value) for value in found]


def _opened(values: list[Any]) -> list[Any]:
    """The values, and in place of each list what it holds. Not recursive: nesting must not cost more than its bytes."""
    found: list[Any] = []
    while values:
        value = values.pop()
        if isinstance(value, list):
            values += value
        else:
            found.append(value)
    return found


def _text(value: Any) -> str:
    """A value as a view would look it up: Django's integer fields take true for 1, and 1.5 too."""
    if isinstance(value, float | bool) and math.isfinite(value):
        return str(int(value))
    if isinstance(value, dict):
        return TOO_MUCH
    return "" if value is None else str(value)
