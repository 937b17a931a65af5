"""Who does this access token say is calling?"""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.settings import api_settings

# Our tokens have about 250 characters; nothing longer is worth a signature check.
MAX_HEADER_CHARS = 4096


def caller_id(request: HttpRequest) -> str | None:
    """Returns the user id in the request's access token once signature, type and expiry hold. Reads no database.

    The header is read by the very code that will authenticate the request, so no spelling of it is a caller to one
    and a stranger to the other.
    """
    if len(request.META.get("HTTP_AUTHORIZATION", "")) > MAX_HEADER_CHARS:
        return None
    reader = JWTAuthentication()
    try:
        header = reader.get_header(Request(request))
        raw_token = reader.get_raw_token(header) if header else None
        user_id = reader.get_validated_token(raw_token).get(api_settings.USER_ID_CLAIM) if raw_token else None
    # Blind on purpose: this runs before everything else, and whatever a stranger's header breaks is no caller.
    except Exception:  # noqa: BLE001
        return None
    return str(user_id) if user_id is not None else None
