"""What is one person's: theirs to ask for, and kept by no cache, not even the browser's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

if TYPE_CHECKING:
    from shop.accounts.models import User


class PrivateView(APIView):
    # `Any` is REST framework's own signature.
    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "private, no-store"
        return answer


def owner(request: Request | HttpRequest) -> User:
    """Returns who asks. Who is not signed in was turned away before, which the type checker cannot see."""
    return cast("User", request.user)
