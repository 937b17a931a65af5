"""Who is signed in, about themselves."""

from __future__ import annotations

from http import HTTPStatus
from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from shop.accounts import closing, problems
from shop.accounts.models import User
from shop.accounts.serializers import ProfileSerializer
from shop.accounts.views.examples import PROFILE, answered, asked, refused
from shop.errors import refusals
from shop.private import PrivateView


class MeView(PrivateView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="me_retrieve",
        summary="Your profile",
        responses={200: ProfileSerializer, **refusals(401)},
        examples=[answered("Profile", PROFILE)],
    )
    def get(self, request: Request) -> Response:
        return Response(ProfileSerializer(_owner(request)).data)

    @extend_schema(
        operation_id="me_partial_update",
        summary="Change your profile",
        request=ProfileSerializer,
        responses={200: ProfileSerializer, **refusals(400, 401)},
        examples=[asked("Another name", {"first_name": "Ada"}), answered("Profile", PROFILE)],
    )
    def patch(self, request: Request) -> Response:
        profile = ProfileSerializer(_owner(request), data=request.data, partial=True)
        profile.is_valid(raise_exception=True)
        profile.save()
        return Response(profile.data)

    @extend_schema(
        operation_id="me_destroy",
        summary="Close your account",
        description="For good. Where there are orders, they stay, but nothing in them says any more whose account it "
        "was. Staff cannot close their own account.",
        responses={204: None, **refusals(401, 409)},
        examples=[
            refused(
                "Staff account",
                409,
                "An account of staff is closed by another superuser.",
                "urn:problem-type:shop:staff-account",
            )
        ],
    )
    def delete(self, request: Request) -> Response:
        user = _owner(request)
        if user.is_staff or user.is_superuser:
            raise problems.staff_account()
        closing.close(user)
        return Response(status=HTTPStatus.NO_CONTENT)


def _owner(request: Request) -> User:
    # Who is not signed in was turned away by `permission_classes`, which the type checker cannot see.
    return cast("User", request.user)
