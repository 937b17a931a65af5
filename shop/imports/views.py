from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import IO, Any, cast
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema_view
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.catalogue.access import may
from shop.imports import described, problems, running, tasks, uploading
from shop.imports.models import Import, RowError
from shop.imports.parsers import FIELD, CsvParser, IntoUpload
from shop.imports.reading import DELIMITERS, Unreadable
from shop.imports.serializers import ImportSerializer, OptionsSerializer, RowErrorSerializer
from shop.imports.uploading import Upload
from shop.orders import idempotency
from shop.orders.views.once import REPLAYED
from shop.orders.views.problems import bad_key
from shop.private import PrivateView, owner

READ_BYTES = 64 * 1024
# What a form has around its file.
FORM_BYTES = 64 * 1024
# What a spreadsheet takes for a formula; Japanese ones the wide forms too.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the wide forms are meant
BOM = "\ufeff"  # Excel takes a file without it for one in the code page of the machine


class ImportsProducts(BasePermission):
    message = "This is for staff who may add and change products."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return may(request, "add", "product") and may(request, "change", "product")


class ImportPages(CursorPagination):
    """By cursor: a new import moves no page, and nothing is counted."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100
    ordering = ("-created_at", "id")


class ErrorPages(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class ImportView(PrivateView):
    permission_classes = [ImportsProducts]


@extend_schema_view(get=described.LIST, post=described.CREATE)
class ImportListView(ImportView, GenericAPIView[Import]):
    parser_classes = [CsvParser, MultiPartParser]
    serializer_class = ImportSerializer
    pagination_class = ImportPages
    queryset = Import.objects.exclude(state=Import.State.RECEIVING).select_related("requested_by")

    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def post(self, request: Request) -> Response:
        key = _key(request)
        options = _options(request.query_params.dict())
        _refuse_too_large(request)
        with _upload(request) as upload:
            name, said = _receive(request, upload)
            _set_options(upload, {**options, **said})
            row, is_new = upload.finish(name, key)
        if is_new:
            tasks.send(row.pk)
        row.refresh_from_db()
        response = Response(ImportSerializer(row).data, HTTPStatus.ACCEPTED)
        response["Location"] = request.build_absolute_uri(reverse("shop:import-detail", kwargs={"pk": row.pk}))
        if not is_new:
            response[REPLAYED] = "true"
        return response


@extend_schema_view(get=described.RETRIEVE)
class ImportDetailView(ImportView):
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(ImportSerializer(_import(pk)).data)


@extend_schema_view(get=described.ERRORS)
class ImportErrorsView(ImportView, GenericAPIView[RowError]):
    serializer_class = RowErrorSerializer
    pagination_class = ErrorPages
    queryset = RowError.objects.all()

    def get(self, request: Request, pk: UUID) -> Response:
        page = self.paginate_queryset(self.get_queryset().filter(of=_import(pk)))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


@extend_schema_view(get=described.ERRORS_CSV)
class ImportErrorsCsvView(ImportView):
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        row = _import(pk)
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["line", "column", "value", "message"])
        for error in RowError.objects.filter(of=row):
            writer.writerow([error.line, error.column, _cell(error.value), _cell(error.message)])
        response = HttpResponse(BOM + text.getvalue(), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="import-{row.pk}-errors.csv"'
        response["X-Content-Type-Options"] = "nosniff"
        return response


@extend_schema_view(post=described.CANCEL)
class ImportCancelView(ImportView):
    def post(self, request: Request, pk: UUID) -> Response:
        row = _import(pk)
        try:
            running.cancel(row, timezone.now())
        except running.Over as exc:
            row.refresh_from_db()
            raise problems.over(row.state) from exc
        return Response(ImportSerializer(_import(pk)).data, HTTPStatus.ACCEPTED)


def _import(pk: UUID) -> Import:
    row = Import.objects.exclude(state=Import.State.RECEIVING).select_related("requested_by").filter(pk=pk).first()
    if row is None:
        raise NotFound("There is no such import.")
    return row


def _key(request: Request) -> str | None:
    header = request.headers.get("Idempotency-Key")
    try:
        return None if header is None else idempotency.parse(header)
    except idempotency.BadKey as exc:
        raise bad_key() from exc


# `Any`: what is said, before and after it was looked at.
def _options(said: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationError; also for a name that is unknown, for a `dry_run` in other letters would write."""
    known = OptionsSerializer().fields
    unknown = {name: [f"Unknown. Known are {', '.join(known)}."] for name in said if name not in known}
    if unknown:
        raise ValidationError(unknown)
    options = OptionsSerializer(data=said)
    options.is_valid(raise_exception=True)
    return {name: options.validated_data[name] for name in said}


def _set_options(upload: Upload, options: dict[str, Any]) -> None:
    upload.row.dry_run = options.get("dry_run", False)
    upload.row.delimiter = DELIMITERS[options["delimiter"]] if "delimiter" in options else ""


def _refuse_too_large(request: Request) -> None:
    """Before a byte of it is read. Who says less than they send is stopped as it comes."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > settings.IMPORT_MAX_BYTES + FORM_BYTES:
        raise problems.too_large(settings.IMPORT_MAX_BYTES)


@contextmanager
def _upload(request: Request) -> Iterator[Upload]:
    """Nothing stays of a file that was not received to its end, or is none of products."""
    upload = Upload(owner(request), timezone.now())
    try:
        yield upload
    except BaseException as error:
        upload.give_up()
        if isinstance(error, uploading.TooLarge):
            raise problems.too_large(settings.IMPORT_MAX_BYTES) from error
        if isinstance(error, uploading.KeyReused):
            raise problems.key_reused() from error
        if isinstance(error, Unreadable):
            raise ValidationError({FIELD: [str(error)]}) from error
        raise


def _receive(request: Request, upload: Upload) -> tuple[str, dict[str, Any]]:
    """Returns the file's name and what a form says of it."""
    request._request.upload_handlers = [IntoUpload(upload)]
    if (request.content_type or "").startswith("multipart/"):
        form, file = cast("QueryDict", request.data), request.FILES.get(FIELD)
        if file is None:
            raise ValidationError({FIELD: [f"Send one file, in a field named {FIELD}."]})
        return file.name or "", _options({name: form[name] for name in form if name != FIELD})
    # A body without a byte is not even parsed.
    body = cast("IO[bytes] | None", request.data or None)
    while body and (data := body.read(READ_BYTES)):
        upload.write(data)
    return "", {}


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
