"""One request, as resolvers see it."""

from __future__ import annotations

from functools import cached_property

import strawberry
from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from shop.accounts.models import User
from shop.catalogue import reading
from shop.catalogue.reading import Shown
from shop.private import owner


class Context:
    """Who asks is looked up by the fields that need to know, so that a token which ran out is no hindrance to a login,
    as it is none to REST's.
    """

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        # As each view of REST reads the same header: no spelling of it is a customer here and a stranger there.
        self.rest = APIView().initialize_request(request)

    def customer(self) -> Request:
        """Returns the request of who is signed in; raises NotAuthenticated, or AuthenticationFailed for a bad token."""
        if not self.rest.user.is_authenticated:
            raise NotAuthenticated
        return self.rest

    @property
    def user(self) -> User:
        return owner(self.customer())

    @cached_property
    def categories(self) -> dict[str, Shown]:
        """The whole tree by slugs: read once, however many products ask for their categories."""
        return {row["slug"]: row for row in reading.categories()}


Info = strawberry.Info[Context, None]
