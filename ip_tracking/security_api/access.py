"""Who may call: whom the project signs in, its own way or by session, and who holds permissions of the review desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from ip_tracking.act_page import actor_of
from ip_tracking.review.actor import Actor
from ip_tracking.review.roles import VIEW
from ip_tracking.security_api.problem import render_problem

# What the settings name, which REST framework has imported by now.
WAYS_IN: list[type[BaseAuthentication]] = list(api_settings.DEFAULT_AUTHENTICATION_CLASSES)  # type: ignore[arg-type]


class AsciiJSONRenderer(JSONRenderer):
    """Strangers' text with every character that is not ASCII escaped: a terminal shows no reordered or hidden ones."""

    ensure_ascii = True


class SecurityView(APIView):
    """One address of the review desk's API."""

    # Django's token against cross-site requests comes with sessions.
    authentication_classes = [*WAYS_IN, *({SessionAuthentication} - set(WAYS_IN))]
    permission_classes = [IsAuthenticated]
    renderer_classes = [AsciiJSONRenderer]
    actor: Actor

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.actor = actor_of(request._request, via="api")
        self.actor.require(VIEW, "look at cases")

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return render_problem

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """A case's ETag names the version people decide by, while its numbers grow: nothing here may be cached."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response
