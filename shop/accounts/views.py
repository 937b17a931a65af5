from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.views import TokenViewBase

from shop.accounts.serializers import LoginSerializer, RefreshSerializer
from shop.errors import MEDIA_TYPE, ProblemSerializer

LOGIN_EXAMPLES = [
    OpenApiExample("By username", {"username": "ada", "password": "correct horse battery"}, request_only=True),
    OpenApiExample(
        "By e-mail",
        {"username": "ada@example.com", "password": "correct horse battery"},
        request_only=True,
    ),
    OpenApiExample(
        "Signed in",
        {"access": "eyJhbGciOiJIUzI1NiJ9.e30.access", "refresh": "eyJhbGciOiJIUzI1NiJ9.e30.refresh"},
        response_only=True,
        status_codes=["200"],
    ),
    OpenApiExample(
        "Refused",
        {
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "No active account has this name and password.",
        },
        response_only=True,
        status_codes=["401"],
        media_type=MEDIA_TYPE,
    ),
]
REFUSALS = {(400, MEDIA_TYPE): ProblemSerializer, (401, MEDIA_TYPE): ProblemSerializer}


class LoginView(TokenViewBase):
    serializer_class = LoginSerializer

    def get_serializer_context(self) -> dict[str, Any]:
        # Backends and listeners of the login signals know Django's request; REST framework's wrapper would hide from
        # the middleware whatever they write on it.
        return {"request": self.request._request}

    @extend_schema(
        summary="Sign in",
        auth=[],
        responses={200: LoginSerializer, **REFUSALS},
        examples=LOGIN_EXAMPLES,
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().post(request, *args, **kwargs)


class RefreshView(TokenViewBase):
    serializer_class = RefreshSerializer

    @extend_schema(summary="Renew an access token", auth=[], responses={200: RefreshSerializer, **REFUSALS})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().post(request, *args, **kwargs)
