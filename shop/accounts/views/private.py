"""What is one person's: kept by no cache, not even the browser's own."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.errors import MEDIA_TYPE, ProblemSerializer

Documented = dict[tuple[int, str], type[ProblemSerializer]]


class PrivateView(APIView):
    # `Any` is REST framework's own signature.
    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "private, no-store"
        return answer


class OpenView(PrivateView):
    # For who has no account or no token yet. One in the header is not looked at, so a stale one is no hindrance. (No
    # docstring: the API's description would take it for one of each view.)
    authentication_classes = ()
    permission_classes = ()

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def refusals(*statuses: int) -> Documented:
    """Returns the responses of an operation that are problem documents, for its description."""
    return {(status, MEDIA_TYPE): ProblemSerializer for status in statuses}
