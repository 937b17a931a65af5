"""Views that fail, each with something in its exception that must not get into a log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sentinel.urls import urlpatterns as project


def said_by(request: HttpRequest) -> str:
    """All that the caller sent."""
    return f"{request.get_full_path()} {dict(request.headers)} {request.body!r} {request.META['REMOTE_ADDR']}"


def raises(request: HttpRequest, rest: str) -> HttpResponse:
    try:
        raise KeyError(said_by(request))
    except KeyError as error:
        raise ValueError(f"{rest}: {said_by(request)}") from error


async def raises_async(request: HttpRequest, rest: str) -> HttpResponse:
    raise ValueError(f"{rest}: {said_by(request)}")


class Raises(APIView):
    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request, rest: str) -> Response:
        raise ValueError(f"{rest}: {request.data}")


def refused_row(request: HttpRequest, rest: str) -> HttpResponse:
    """PostgreSQL quotes the row: Key (username)=(...) already exists."""
    for _ in range(2):
        get_user_model().objects.create_user(rest)
    return HttpResponse()


def wrong_query(request: HttpRequest, rest: str) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::integer", [rest])
    return HttpResponse()


def breaks_off(request: HttpRequest, rest: str) -> StreamingHttpResponse:
    def parts() -> Iterator[bytes]:
        yield b"first"
        raise ValueError(f"{rest}: {said_by(request)}")

    return StreamingHttpResponse(parts())


def in_a_thread(request: HttpRequest, rest: str) -> HttpResponse:
    def fail() -> None:
        raise ValueError(f"{rest}: {said}")

    said = said_by(request)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    return HttpResponse()


def logs_wrongly(request: HttpRequest, rest: str) -> HttpResponse:
    """A line that cannot be made: Python's own handler would print what was given to it."""
    logging.getLogger("shop.x").error("%d of %s", rest)  # noqa: PLE1206 - the subject
    return HttpResponse()


def by_a_library(request: HttpRequest, rest: str) -> HttpResponse:
    """As urllib3, asyncio or kombu would, who know nothing of our rules."""
    logging.getLogger("some.package").error("Retrying %s of %s", request.get_full_path(), said_by(request))
    return HttpResponse()


def many(request: HttpRequest, rest: str) -> HttpResponse:
    raise ExceptionGroup(rest, [ValueError(said_by(request))])


DOORS: dict[str, Any] = {
    "raises": raises,
    "raises-async": raises_async,
    "rest": Raises.as_view(),
    "row": refused_row,
    "query": wrong_query,
    "stream": breaks_off,
    "thread": in_a_thread,
    "logs": logs_wrongly,
    "library": by_a_library,
    "many": many,
}

urlpatterns = [
    path(f"doors/{name}/<path:rest>", csrf_exempt(view), name=name) for name, view in DOORS.items()
] + project
