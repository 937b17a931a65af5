"""Accounts, for staff who hold Django's permissions on them, as in the admin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.exceptions import NotFound
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.generics import ListCreateAPIView, RetrieveUpdateDestroyAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from shop import page_size
from shop.accounts import closing, post, problems, staff, tasks
from shop.accounts.models import User
from shop.accounts.serializers import UserSerializer
from shop.accounts.views.examples import USER, answered, asked, invalid, refused
from shop.errors import refusals
from shop.page_size import page_size_of
from shop.private import PrivateView

ACTIONS = {"GET": "view", "HEAD": "view", "OPTIONS": "view", "POST": "add", "PATCH": "change", "DELETE": "delete"}

ORDERS = ("id", "username", "email", "date_joined", "last_login")

FORBIDDEN = refused("Forbidden", 403, "Only superusers make staff, or change and delete accounts of staff.")
OWN = refused(
    "Your own account",
    409,
    "Nobody deletes, deactivates or demotes themselves: ask another superuser.",
    "urn:problem-type:shop:own-account",
)
IN_USE = refused(
    "Account in use",
    409,
    "Orders or other records need this account. Deactivate it instead: PATCH it with is_active false.",
    "urn:problem-type:shop:account-in-use",
)
TAKEN = invalid("Taken", "email", "Another account has this address.")


class KeepsAccounts(BasePermission):
    message = "This is for staff who may keep accounts."

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        allowed = f"accounts.{ACTIONS.get(request.method or '', 'change')}_user"
        return bool(user.is_authenticated and user.is_staff and user.has_perm(allowed))


class ByField(OrderingFilter):
    """Rows that are alike in the field asked for keep their places from page to page."""

    def get_ordering(self, request: Request, queryset: Any, view: APIView) -> Any:
        return [*(super().get_ordering(request, queryset, view) or ()), "id"]


USUAL, MOST = 50, 200


class UserPages(PageNumberPagination):
    # What stands for the number of the last page; numbers only, here.
    last_page_strings = ()

    def get_page_size(self, request: Request) -> int:
        return page_size_of(request.query_params, USUAL, MOST)


@extend_schema_view(
    get=extend_schema(
        operation_id="users_list",
        parameters=[page_size.described(USUAL, MOST)],
        summary="Accounts",
        description="`search` looks for each of its words in username, address and names.",
        responses={200: UserSerializer(many=True), **refusals(400, 401, 403, 404)},
        examples=[answered("Account", USER)],
    ),
    post=extend_schema(
        operation_id="users_create",
        summary="Make an account",
        description="Its owner is sent a link to choose the password by. Only superusers make staff.",
        responses={201: UserSerializer, **refusals(400, 401, 403)},
        examples=[
            asked("Account", {"username": "grace", "email": "grace@example.com"}),
            answered("Made", USER, 201),
            TAKEN,
            FORBIDDEN,
        ],
    ),
)
class UserListView(PrivateView, ListCreateAPIView[User]):
    permission_classes = [KeepsAccounts]
    serializer_class = UserSerializer
    queryset = User.objects.all()
    pagination_class = UserPages
    filter_backends = [SearchFilter, ByField]
    search_fields = ("username", "email", "first_name", "last_name")
    ordering_fields = ORDERS

    def perform_create(self, serializer: BaseSerializer[User]) -> None:
        with refused_as_problems():
            serializer.instance = staff.create(cast("User", self.request.user), serializer.validated_data)
        post.tell(tasks.invite, serializer.instance.pk)


@extend_schema_view(
    get=extend_schema(
        operation_id="users_retrieve",
        summary="An account",
        responses={200: UserSerializer, **refusals(401, 403, 404)},
        examples=[answered("Account", USER)],
    ),
    patch=extend_schema(
        operation_id="users_partial_update",
        summary="Change an account",
        description="An account that is deactivated is signed out everywhere. Only superusers change accounts of "
        "staff.",
        responses={200: UserSerializer, **refusals(400, 401, 403, 404, 409)},
        examples=[asked("Deactivate", {"is_active": False}), answered("Account", USER), TAKEN, FORBIDDEN, OWN],
    ),
    delete=extend_schema(
        operation_id="users_destroy",
        summary="Delete an account",
        description="One that has orders is not deleted, but can be deactivated.",
        responses={204: None, **refusals(401, 403, 404, 409)},
        examples=[FORBIDDEN, OWN, IN_USE],
    ),
)
class UserDetailView(PrivateView, RetrieveUpdateDestroyAPIView[User]):
    permission_classes = [KeepsAccounts]
    serializer_class = UserSerializer
    queryset = User.objects.all()
    http_method_names = ["get", "patch", "delete", "head", "options"]

    def perform_update(self, serializer: BaseSerializer[User]) -> None:
        user = cast("User", serializer.instance)
        with refused_as_problems():
            serializer.instance = staff.update(cast("User", self.request.user), user, serializer.validated_data)

    def perform_destroy(self, instance: User) -> None:
        with refused_as_problems():
            staff.delete(cast("User", self.request.user), instance)


@contextmanager
def refused_as_problems() -> Iterator[None]:
    try:
        yield
    except staff.NeedsSuperuser as error:
        raise problems.needs_superuser() from error
    except staff.OwnAccount as error:
        raise problems.own_account() from error
    except staff.NameTaken as error:
        raise problems.name_taken() from error
    except closing.Kept as error:
        raise problems.kept() from error
    except User.DoesNotExist as error:
        raise NotFound from error
