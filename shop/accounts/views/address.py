"""Another e-mail address: asked for with the password, then proved."""

from __future__ import annotations

from http import HTTPStatus

from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from shop.accounts import address, inbox, passwords, post, problems, registration, tasks
from shop.accounts.serializers import EmailChangeSerializer, EmailConfirmSerializer
from shop.accounts.views.examples import BAD_LINK, NO_MAIL, asked, invalid, refused
from shop.accounts.views.open import OpenView
from shop.accounts.views.proof import proved_owner
from shop.errors import refusals
from shop.private import PrivateView


class EmailChangeView(PrivateView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="me_email_create",
        summary="Ask for another address",
        description="Every address gets the same answer. The mail to it says the rest: a link, or that there is an "
        "account with it. A wrong `current_password` counts as a failed login.",
        request=EmailChangeSerializer,
        responses={202: None, **refusals(400, 401, 503)},
        examples=[
            asked("Move", {"email": "ada@example.org", "current_password": "correct horse battery"}),
            invalid("Wrong password", "current_password", "This is not the password of this account."),
            NO_MAIL,
        ],
    )
    @sensitive_variables("request", "asked", "said")
    def post(self, request: Request) -> Response:
        asked = EmailChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        user = proved_owner(request, said["current_password"])
        if not inbox.is_full(request, "move", said["email"]):
            post.ask(tasks.answer_move, user.pk, said["email"])
        return Response(status=HTTPStatus.ACCEPTED)


class EmailConfirmView(OpenView):
    @extend_schema(
        operation_id="auth_email_confirm_create",
        summary="Move to the new address",
        description="With the token of the link in the mail. The old address is told.",
        auth=[],
        request=EmailConfirmSerializer,
        responses={204: None, **refusals(400, 409)},
        examples=[
            asked("Move", {"token": "WzcsImFkYSJd.1abcde.Xy"}),
            BAD_LINK,
            refused(
                "Account exists",
                409,
                "There is an account with this address. Sign in.",
                "urn:problem-type:shop:account-exists",
            ),
        ],
    )
    @sensitive_variables("request", "asked")
    def post(self, request: Request) -> Response:
        asked = EmailConfirmSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            _, old = address.move(asked.validated_data["token"])
        except passwords.BadLink as error:
            raise problems.bad_link() from error
        except registration.EmailTaken as error:
            raise problems.email_taken() from error
        if old:
            post.tell(tasks.tell_moved, old)
        return Response(status=HTTPStatus.NO_CONTENT)
