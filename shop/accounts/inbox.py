"""However many ask from wherever, nobody's inbox is filled: so many mails of a kind an hour to each address.

Each kind by itself: who has used up an owner's links to a new password has sent them three that work.
"""

from __future__ import annotations

from django_ratelimit.core import is_ratelimited
from rest_framework.request import Request

# Who finds no mail asks again, and again with the other address; a fourth within the hour would not be read either.
MAILS_TO_ONE_ADDRESS = "3/h"


def is_full(request: Request, kind: str, email: str) -> bool:
    """Counts one more mail. Who asks is told nothing of it: a 429 would tell that somebody had asked for this address.

    `email`: as `normal_email` spells it.
    """
    return bool(
        is_ratelimited(
            request=request._request,
            group=f"shop.accounts.inbox.{kind}",
            key=lambda group, request: email,
            rate=MAILS_TO_ONE_ADDRESS,
            increment=True,
        )
    )
