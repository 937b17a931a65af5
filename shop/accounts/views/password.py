"""A password changed, or forgotten."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus

from django.core.exceptions import ValidationError as WeakPassword
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_variables
from django_ratelimit.decorators import ratelimit
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from shop.accounts import inbox, passwords, post, problems, sessions, tasks
from shop.accounts.serializers import EmailSerializer, PasswordChangeSerializer, ResetConfirmSerializer
from shop.accounts.views.examples import BAD_LINK, NO_MAIL, TOKENS, WEAK, answered, asked, invalid, refused
from shop.accounts.views.open import OpenView
from shop.accounts.views.proof import proved_owner
from shop.errors import refusals
from shop.private import PrivateView


class PasswordResetView(OpenView):
    @extend_schema(
        operation_id="auth_password_reset_create",
        summary="Ask for a new password",
        description="Every address gets the same answer, and one that has an account gets a mail with a link. At most "
        "three such mails an hour go to one address.",
        auth=[],
        request=EmailSerializer,
        responses={202: None, **refusals(400, 503)},
        examples=[
            asked("Forgotten", {"email": "ada@example.com"}),
            invalid("Not an address", "email", "Enter a valid email address."),
            NO_MAIL,
        ],
    )
    # A person asks once or twice; five a minute from one address are a list being worked through.
    @method_decorator(ratelimit(key="ip", rate="5/m", method="POST"))
    def post(self, request: Request) -> Response:
        asked = EmailSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        email = asked.validated_data["email"]
        if not inbox.is_full(request, "reset", email):
            post.ask(tasks.answer_reset, email)
        return Response(status=HTTPStatus.ACCEPTED)


class PasswordResetConfirmView(OpenView):
    @extend_schema(
        operation_id="auth_password_reset_confirm_create",
        summary="Choose a new password",
        description="With the token of the link in the mail. Every sign-in of the account ends.",
        auth=[],
        request=ResetConfirmSerializer,
        responses={204: None, **refusals(400)},
        examples=[
            asked("New password", {"token": "7.cxyz12-0123456789abcdef", "password": "correct horse battery"}),
            WEAK,
            BAD_LINK,
        ],
    )
    @sensitive_variables("request", "asked")
    def post(self, request: Request) -> Response:
        asked = ResetConfirmSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            user = passwords.owner_of(asked.validated_data["token"])
            passwords.set_password(user, asked.validated_data["password"])
        except (passwords.BadLink, passwords.Changed) as error:
            # A link that two used at once was used.
            raise problems.bad_link() from error
        except WeakPassword as error:
            raise problems.weak("password", error) from error
        post.tell(tasks.tell_password_changed, user.pk)
        return Response(status=HTTPStatus.NO_CONTENT)


class PasswordChangeView(PrivateView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="me_password_create",
        summary="Change your password",
        description="Every sign-in of the account ends, this one too: the answer has tokens of a new one. A wrong "
        "`current_password` counts as a failed login.",
        request=PasswordChangeSerializer,
        responses={200: PasswordChangeSerializer, **refusals(400, 401, 409)},
        examples=[
            asked("Change", {"current_password": "correct horse battery", "new_password": "staple of paper"}),
            answered("Changed", TOKENS),
            invalid("Wrong password", "current_password", "This is not the password of this account."),
            refused(
                "Password changed",
                409,
                "The password was changed meanwhile. Sign in again.",
                "urn:problem-type:shop:password-changed",
            ),
        ],
    )
    @sensitive_variables("request", "asked", "said")
    def post(self, request: Request) -> Response:
        asked = PasswordChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        user = proved_owner(request, said["current_password"])
        try:
            passwords.set_password(user, said["new_password"])
        except WeakPassword as error:
            raise problems.weak("new_password", error) from error
        except passwords.Changed as error:
            raise problems.password_changed() from error
        post.tell(tasks.tell_password_changed, user.pk)
        return Response(asdict(sessions.begin(user)))
