"""Views that carry django-ratelimit's decorator, as projects have them."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django_ratelimit.core import is_ratelimited
from django_ratelimit.decorators import ratelimit
from django_ratelimit.exceptions import Ratelimited
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ip_tracking.ratelimit import Limited


class DeadCache(LocMemCache):
    """Answers as a cache that survives its server's death: nothing is added, nothing is there."""

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return False

    def incr(self, *args: Any, **kwargs: Any) -> int:
        raise ValueError("no such key")

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return default


def two_a_minute(group: str, request: HttpRequest) -> str:
    return "2/m"


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a page")


async def page_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a page")


# Nobody awaits what the decorator returns of an async view: who asks for it must close it.
unawaited: list[Any] = []


@ratelimit(key="ip", rate="2/m")
def as_async(request: HttpRequest) -> Any:
    unawaited.append(page_async(request))
    return unawaited[-1]


@method_decorator(ratelimit(key="ip", rate="2/m"), name="dispatch")
class Dispatch(APIView):
    permission_classes = ()

    def get(self, request: Request) -> Response:
        return Response("a page")


class Method(APIView):
    permission_classes = ()

    @method_decorator(ratelimit(key="ip", rate="2/m"))
    def get(self, request: Request) -> Response:
        return Response("a page")


def by_hand(request: HttpRequest) -> HttpResponse:
    raise (Limited if "ours" in request.GET else Ratelimited)()


@ratelimit(key="ip", rate="9/m")
def by_hand_inside(request: HttpRequest) -> HttpResponse:
    if is_ratelimited(request, group="inside", key="ip", rate="2/m", increment=True):
        raise Limited
    return HttpResponse("a page")


def limited_to(rate: Any = "2/m", key: Any = "ip", **given: Any) -> Any:
    return ratelimit(group=f"{key}-{rate}", key=key, rate=rate, **given)(page)


urlpatterns = [
    path("plain/", limited_to(), name="shop:Plain_page"),
    path("async/", as_async, name="async"),
    path("dispatch/", Dispatch.as_view(), name="dispatch"),
    path("method/", Method.as_view(), name="method"),
    path("user/", limited_to(key="user"), name="user"),
    path("user-or-ip/", limited_to(key="user_or_ip"), name="user-or-ip"),
    path("header/", limited_to(key="header:x-coupon"), name="header"),
    path("query/", limited_to(key="get:coupon"), name="query"),
    path("by-function/", limited_to(rate=two_a_minute), name="by-function"),
    path("by-path/", limited_to(rate="tests.urls_ratelimit.two_a_minute"), name="by-path"),
    path("tuple/", limited_to(rate=(2, 600)), name="tuple"),
    path("ten-minutes/", limited_to(rate="2/10m"), name="ten-minutes"),
    path("spelled-out/", limited_to(rate="2/minute"), name="spelled-out"),
    path("never/", limited_to(rate="0/m"), name="never"),
    path("second/", limited_to(rate="2/s"), name="second"),
    path("two/", ratelimit(group="outer", key="ip", rate="9/h")(limited_to()), name="two"),
    path("not-blocked/", limited_to(block=False), name="not-blocked"),
    path("by-hand/", by_hand, name="by-hand"),
    path("by-hand-inside/", by_hand_inside, name="by-hand-inside"),
]
