"""However many ask from wherever, nobody's inbox is filled: so many mails of a kind an hour to each address.

Each kind by itself: who has used up an owner's links to a new password has sent them three that work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.decorators import method_decorator
from django_ratelimit.decorators import ratelimit
from rest_framework.request import Request

from shop.accounts.names import normal_email

# Who finds no mail asks again, and again with the other address; a fourth within the hour would not be read either.
MAILS_TO_ONE_ADDRESS = "3/h"


def address_typed(group: str, request: Request) -> str:
    data: Any = request.data  # whatever JSON holds
    email = data.get("email") if isinstance(data, dict) else None
    # A letter that is none cannot be hashed.
    return normal_email(email).encode("utf-8", "replace").decode() if isinstance(email, str) else ""


def spare_inbox(kind: str) -> Callable[[Any], Any]:  # Any: a view's method goes in and comes out
    """Refuses nobody: a 429 would tell that somebody had asked for this address. The view asks `is_full`."""
    group = f"shop.accounts.inbox.{kind}"
    return method_decorator(
        ratelimit(group=group, key=address_typed, rate=MAILS_TO_ONE_ADDRESS, method="POST", block=False)
    )


def is_full(request: Request) -> bool:
    return bool(getattr(request, "limited", False))
