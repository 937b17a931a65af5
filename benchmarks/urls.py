"""One view, as it is and as others would guard it."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django_ratelimit.decorators import ratelimit
from limits import parse
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from ip_tracking.models import RequestLog

MILLION = parse("1000000/minute")
moving_window = MovingWindowRateLimiter(RedisStorage("redis+" + settings.BENCH_STORE))


def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"ok")


limited = ratelimit(key="ip", rate="1000000/m")(bare)


def limited_and_logged(request: HttpRequest) -> HttpResponse:
    """The usual way: a decorator, and a row written before the answer. The row is that of the request log."""
    response = limited(request)
    agent = request.META["HTTP_USER_AGENT"]
    RequestLog.objects.create(
        at=datetime.now(UTC), request_id="0123456789abcdef0123456789abcdef", address=_address(request),
        network=_address(request), method=request.method, path=request.path, query=request.META["QUERY_STRING"],
        route="logged", kind="catalogue", status=response.status_code, duration_us=1_000, user_agent=agent, user="",
        staff=False, outcome="", account="", refused="", symptoms="",
    )  # fmt: skip
    return response


def moving(request: HttpRequest) -> HttpResponse:
    """Counted by `limits`, exactly and one by one."""
    assert moving_window.hit(MILLION, "ip", _address(request))
    return bare(request)


class Api(APIView):
    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request) -> Response:
        return Response({"ok": True})


class Throttle(SimpleRateThrottle):
    """Of a second, to its favour: it keeps a list of all requests within its window, and reads and writes it whole."""

    rate = "100000/second"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"throttle_{self.get_ident(request)}"


class ThrottledApi(Api):
    throttle_classes = (Throttle,)


def _address(request: HttpRequest) -> str:
    return request.META["HTTP_X_FORWARDED_FOR"]


urlpatterns = [
    path("bare/", bare, name="bare"),
    path("refused/", bare, name="refused"),
    path("limited/", limited, name="limited"),
    path("logged/", limited_and_logged, name="logged"),
    path("moving/", moving, name="moving"),
    path("api/", Api.as_view(), name="api"),
    path("throttled/", ThrottledApi.as_view(), name="throttled"),
]
