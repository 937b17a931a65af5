"""Conditional requests (RFC 9110): which state does a client hold, and is it the one that is shown?"""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

from shop.errors import Problem


# `Any`: whatever JSON can say.
def etag_of(shown: Any) -> str:
    """Returns a strong tag: the API has one representation, and equal content is rendered as equal bytes."""
    text = json.dumps(shown, sort_keys=True, cls=JSONEncoder)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def is_known(request: Request, etag: str) -> bool:
    """Does the client hold this very state, by If-None-Match? A proxy that compresses may have made the tag weak."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or etag in (tag.removeprefix("W/") for tag in known)


def require_match(request: Request, etag: str) -> None:
    """Raises a Problem, 428 or 412, unless If-Match names this state, or is `*` for whatever it is."""
    header = request.headers.get("If-Match")
    if header is None:
        raise Problem(
            HTTPStatus.PRECONDITION_REQUIRED,
            "if-match-required",
            "If-Match required",
            "Send the ETag of what you read as If-Match, or * to write over whatever stands there.",
        )
    known = parse_etags(header)
    if "*" not in known and etag not in known:
        raise Problem(
            HTTPStatus.PRECONDITION_FAILED,
            "changed-meanwhile",
            "Changed meanwhile",
            "This is no longer what you read. Read it again, and write what still holds.",
        )
