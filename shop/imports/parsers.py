"""Bodies that hold a file: none of them is ever whole in memory."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO, Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser

from shop.imports.uploading import Upload

FIELD = "file"


class CsvParser(BaseParser):
    """Hands on the stream, for the view to read piece by piece."""

    media_type = "text/csv"

    # `Any` and the optional names are REST framework's own signature.
    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return stream


class IntoUpload(FileUploadHandler):
    """Of a form, the one file goes into the upload as it comes; Django's own handlers would keep it in /tmp first."""

    def __init__(self, upload: Upload) -> None:
        super().__init__()
        self._upload = upload
        self._files = 0

    # `Any`, here and below: Django's own arguments.
    def new_file(self, *args: Any, **options: Any) -> None:
        super().new_file(*args, **options)
        self._files += 1
        if self.field_name != FIELD or self._files > 1:
            raise ValidationError({self.field_name or FIELD: [f"Send one file, in a field named {FIELD}."]})

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._upload.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[bytes]:
        # Its content is elsewhere; Django closes what it is handed.
        return UploadedFile(io.BytesIO(), self.file_name, self.content_type, file_size)
