"""What Django itself refuses: under /api/ a problem document (RFC 9457), as every error there is, elsewhere a page."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views import defaults

API = "/api/"
PROBLEM = "application/problem+json"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _problem(request, HTTPStatus.BAD_REQUEST, "The request cannot be read.") or defaults.bad_request(
        request, exception
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _problem(request, HTTPStatus.NOT_FOUND, "There is nothing at this address.") or defaults.page_not_found(
        request, exception
    )


def server_error(request: HttpRequest) -> HttpResponseBase:
    return _problem(
        request, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here, and was noted."
    ) or defaults.server_error(request)


def _problem(request: HttpRequest, status: HTTPStatus, detail: str) -> HttpResponse | None:
    return problem(status, detail) if request.path_info.startswith(API) else None


def problem(status: HTTPStatus, detail: str) -> HttpResponse:
    document = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    return JsonResponse(document, status=status, content_type=PROBLEM)
