"""A new account: an address is named, then proved."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError as WeakPassword
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from shop.accounts import inbox, post, problems, registration, tasks
from shop.accounts.models import User
from shop.accounts.serializers import EmailSerializer, ProfileSerializer, RegistrationConfirmSerializer
from shop.accounts.views.examples import BAD_LINK, NO_MAIL, PROFILE, WEAK, answered, asked, invalid, refused
from shop.accounts.views.open import OpenView
from shop.errors import refusals


class RegistrationView(OpenView):
    @extend_schema(
        operation_id="auth_registration_create",
        summary="Ask for an account",
        description="Every address gets the same answer. The mail says the rest: a link to choose a password by, or "
        "that there is an account already. At most three such mails an hour go to one address.",
        auth=[],
        request=EmailSerializer,
        responses={202: None, **refusals(400, 503)},
        examples=[
            asked("Register", {"email": "ada@example.com"}),
            invalid("Not an address", "email", "Enter a valid email address."),
            NO_MAIL,
        ],
    )
    def post(self, request: Request) -> Response:
        ask_for_account(request, request.data)
        return Response(status=HTTPStatus.ACCEPTED)


# `Any`, here and below: a request's JSON.
def ask_for_account(request: Request, body: Any) -> None:
    asked = EmailSerializer(data=body)
    asked.is_valid(raise_exception=True)
    email = asked.validated_data["email"]
    if not inbox.is_full(request, "registration", email):
        post.ask(tasks.answer_registration, email)


class RegistrationConfirmView(OpenView):
    @extend_schema(
        operation_id="auth_registration_confirm_create",
        summary="Open the account",
        description="With the token of the link in the mail, and the password of the account to be. Then sign in.",
        auth=[],
        request=RegistrationConfirmSerializer,
        responses={201: ProfileSerializer, **refusals(400, 409)},
        examples=[
            asked("Choose a password", {"token": "ImFkYSI.1abcde.Xy", "password": "correct horse battery"}),
            answered("Opened", PROFILE, 201),
            WEAK,
            BAD_LINK,
            refused(
                "Account exists",
                409,
                "There is an account with this address. Sign in.",
                "urn:problem-type:shop:account-exists",
            ),
        ],
    )
    @sensitive_variables("request")
    def post(self, request: Request) -> Response:
        return Response(ProfileSerializer(open_account(request.data)).data, status=HTTPStatus.CREATED)


@sensitive_variables("body", "asked", "said")
def open_account(body: Any) -> User:
    asked = RegistrationConfirmSerializer(data=body)
    asked.is_valid(raise_exception=True)
    said = dict(asked.validated_data)
    email = registration.email_in(said.pop("token"))
    if email is None:
        raise problems.bad_link()
    try:
        return registration.open_account(email, **said)
    except WeakPassword as error:
        raise problems.weak("password", error) from error
    except registration.EmailTaken as error:
        raise problems.email_taken() from error
