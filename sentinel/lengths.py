"""A body of which nobody said how long it is: 411 (RFC 9110, 15.5.12).

REST framework takes it for no body at all, and so does Django under WSGI: a client would be told that its file is
empty, or that a field is missing which it has sent. nginx counts first and says the length, but not where
`deploy/nginx.conf` passes a body on as it comes.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from sentinel.api_errors import problem

DETAIL = "The body came in chunks (Transfer-Encoding). Say its length instead: Content-Length."


# `Any`, here and below: Django's response classes share no typed base with async streaming.
@sync_and_async_middleware
def length_required(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    async def aanswer(request: HttpRequest) -> Any:
        return _refusal(request) or await get_response(request)

    def answer(request: HttpRequest) -> Any:
        return _refusal(request) or get_response(request)

    return aanswer if iscoroutinefunction(get_response) else answer


def _refusal(request: HttpRequest) -> HttpResponse | None:
    return problem(HTTPStatus.LENGTH_REQUIRED, DETAIL) if "Transfer-Encoding" in request.headers else None
