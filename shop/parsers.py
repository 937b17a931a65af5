"""JSON bodies, bounded: REST framework reads the stream itself and so passes DATA_UPLOAD_MAX_MEMORY_SIZE by."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

# The largest honest body, a checkout of 20 lines, is under 3 KB.
MAX_BODY_BYTES = 64 * 1024


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = f"A request body may have {MAX_BODY_BYTES} bytes."


class BoundedJSONParser(JSONParser):
    # `Any` and the optional names are REST framework's own signature.
    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge
        try:
            return super().parse(io.BytesIO(body), media_type, parser_context)
        except RecursionError as exc:
            raise ParseError("JSON parse error - nested too deeply") from exc
