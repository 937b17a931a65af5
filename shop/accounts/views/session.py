"""Signing in, renewing, signing out."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.exceptions import TokenError

from shop.accounts import problems, sessions
from shop.accounts.serializers import LoginSerializer, LogoutSerializer, RefreshSerializer
from shop.accounts.sessions import Tokens
from shop.accounts.views.examples import TOKENS, answered, asked, refused
from shop.accounts.views.open import OpenView
from shop.errors import refusals

STALE = refused("Unauthorized", 401, "This token is invalid, expired or used. Sign in again.")


class LoginView(OpenView):
    @extend_schema(
        operation_id="auth_token_create",
        summary="Sign in",
        auth=[],
        request=LoginSerializer,
        responses={200: LoginSerializer, **refusals(400, 401)},
        examples=[
            asked("By username", {"username": "ada", "password": "correct horse battery"}),
            asked("By e-mail", {"username": "ada@example.com", "password": "correct horse battery"}),
            answered("Signed in", TOKENS),
            refused("Unauthorized", 401, "No active account has this name and password."),
        ],
    )
    @sensitive_variables("request")
    def post(self, request: Request) -> Response:
        return Response(asdict(sign_in(request, request.data)))


# `Any`, here and below: a request's JSON.
@sensitive_variables("body", "asked", "said")
def sign_in(request: Request, body: Any) -> Tokens:
    asked = LoginSerializer(data=body)
    asked.is_valid(raise_exception=True)
    said = asked.validated_data
    # Backends and listeners of the login signals know Django's request; REST framework's wrapper would hide from the
    # middleware whatever they write on it.
    tokens = sessions.sign_in(request._request, said["username"], said["password"])
    if tokens is None:
        raise problems.no_login()
    return tokens


class RefreshView(OpenView):
    @extend_schema(
        operation_id="auth_token_refresh_create",
        summary="Renew a sign-in",
        description="The refresh token is good for one renewal: keep the one of the answer. Where a used one comes "
        "back more than ten seconds later, somebody has a copy of it, and the whole sign-in ends.",
        auth=[],
        request=RefreshSerializer,
        responses={200: RefreshSerializer, **refusals(400, 401)},
        examples=[asked("Renew", {"refresh": TOKENS["refresh"]}), answered("Renewed", TOKENS), STALE],
    )
    @sensitive_variables("request")
    def post(self, request: Request) -> Response:
        return Response(asdict(renew(request.data)))


@sensitive_variables("body", "asked")
def renew(body: Any) -> Tokens:
    asked = RefreshSerializer(data=body)
    asked.is_valid(raise_exception=True)
    try:
        return sessions.renew(asked.validated_data["refresh"])
    except (TokenError, sessions.NoAccount) as error:
        raise problems.no_session() from error


class LogoutView(OpenView):
    @extend_schema(
        operation_id="auth_logout_create",
        summary="Sign out",
        description="Ends the sign-in that the refresh token is of. The access token holds until it expires: "
        "forget it.",
        auth=[],
        request=LogoutSerializer,
        responses={204: None, **refusals(400, 401)},
        examples=[asked("Sign out", {"refresh": TOKENS["refresh"]}), STALE],
    )
    @sensitive_variables("request")
    def post(self, request: Request) -> Response:
        sign_out(request.data)
        return Response(status=HTTPStatus.NO_CONTENT)


@sensitive_variables("body", "asked")
def sign_out(body: Any) -> None:
    asked = LogoutSerializer(data=body)
    asked.is_valid(raise_exception=True)
    try:
        sessions.end(asked.validated_data["refresh"])
    except TokenError as error:
        raise problems.no_session() from error
