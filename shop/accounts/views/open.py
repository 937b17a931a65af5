"""What somebody without an account or a token asks."""

from __future__ import annotations

from rest_framework.request import Request

from shop.private import PrivateView


class OpenView(PrivateView):
    # A token in the header is not looked at, so a stale one is no hindrance. (No docstring: the API's description would
    # take it for one of each view.)
    authentication_classes = ()
    permission_classes = ()

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'
