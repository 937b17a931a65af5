"""Who is signed in, about themselves."""

from __future__ import annotations

from http import HTTPStatus

from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from shop.accounts import closing, problems
from shop.accounts.serializers import CloseSerializer, ProfileSerializer
from shop.accounts.views.examples import PROFILE, answered, asked, invalid, refused
from shop.accounts.views.proof import proved_owner
from shop.errors import refusals
from shop.private import PrivateView, owner


class MeView(PrivateView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="me_retrieve",
        summary="Your profile",
        responses={200: ProfileSerializer, **refusals(401)},
        examples=[answered("Profile", PROFILE)],
    )
    def get(self, request: Request) -> Response:
        return Response(ProfileSerializer(owner(request)).data)

    @extend_schema(
        operation_id="me_partial_update",
        summary="Change your profile",
        request=ProfileSerializer,
        responses={200: ProfileSerializer, **refusals(400, 401)},
        examples=[asked("Another name", {"first_name": "Ada"}), answered("Profile", PROFILE)],
    )
    def patch(self, request: Request) -> Response:
        profile = ProfileSerializer(owner(request), data=request.data, partial=True)
        profile.is_valid(raise_exception=True)
        profile.save()
        return Response(profile.data)


class CloseView(PrivateView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="me_close",
        summary="Close your account",
        description="For good. Where there are orders, they stay, but nothing in them says any more whose account it "
        "was. Staff cannot close their own account. A wrong `current_password` counts as a failed login.",
        request=CloseSerializer,
        responses={204: None, **refusals(400, 401, 409)},
        examples=[
            asked("Close", {"current_password": "correct horse battery"}),
            invalid("Wrong password", "current_password", "This is not the password of this account."),
            refused(
                "Staff account",
                409,
                "An account of staff is closed by another superuser.",
                "urn:problem-type:shop:staff-account",
            ),
        ],
    )
    @sensitive_variables("request", "asked", "said")
    def post(self, request: Request) -> Response:
        asked = CloseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        user = proved_owner(request, said["current_password"])
        if user.is_staff or user.is_superuser:
            raise problems.staff_account()
        closing.close(user)
        return Response(status=HTTPStatus.NO_CONTENT)
