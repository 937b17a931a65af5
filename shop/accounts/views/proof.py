"""What a stolen token cannot do alone: the password is asked for again."""

from __future__ import annotations

from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request

from shop.accounts import passwords, problems
from shop.accounts.models import User
from shop.private import owner


@sensitive_variables("password")
def proved_owner(request: Request, password: str) -> User:
    """Returns who asks, as they are stored now. Raises ValidationError where this is not their password."""
    user = passwords.known(request._request, owner(request), password)
    if user is None:
        raise problems.wrong_password()
    return user
