"""Views of REST framework whose callers only it can know: by a session, or by a key in a header."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.urls import path
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ip_tracking.decorators import limited
from ip_tracking.throttling import GateThrottle


class ByKey(BaseAuthentication):
    """Stands for API keys in a database."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        key = request.META.get("HTTP_X_API_KEY")
        return (get_user_model()(pk=int(key), username=f"user-{key}"), None) if key else None


class Throttled(APIView):
    authentication_classes = (ByKey, SessionAuthentication)
    permission_classes = ()
    throttle_classes = (GateThrottle,)

    def get(self, request: Request) -> Response:
        return Response(str(request.user.pk), status=int(request.GET.get("status", "200")))


class Named(Throttled):
    limited_by = ["exports"]


class Marked(Throttled):
    @limited("exports")
    def get(self, request: Request) -> Response:
        return Response("an export")


def hidden(view: Any) -> Any:
    def forgetful(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return forgetful


urlpatterns = [
    path("throttled/", Throttled.as_view(), name="throttled"),
    path("named/", Named.as_view(), name="named"),
    path("named-hidden/", hidden(Named.as_view()), name="named-hidden"),
    path("marked/", Marked.as_view(), name="marked"),
    # The mark is passed before REST framework knows anybody.
    path("marked-before/", hidden(limited("exports")(Throttled.as_view())), name="marked-before"),
    # The mark is passed after.
    path("marked-after/", hidden(Marked.as_view()), name="marked-after"),
    path("unthrottled/", Named.as_view(throttle_classes=()), name="unthrottled"),
]
