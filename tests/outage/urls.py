"""One page for each way a policy answers while the store is away; sync or async as the server is."""

from __future__ import annotations

import os

from django.http import HttpRequest, HttpResponse
from django.urls import path


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a page")


async def page_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a page")


view = page_async if os.environ["OUTAGE_SERVER"] == "uvicorn" else page

urlpatterns = [path(name, view, name=name or "open") for name in ("", "five", "degraded", "closed")]
