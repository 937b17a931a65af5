"""Who may write, and who is shown what is not on sale? Staff with the permissions that the admin asks for too."""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from shop.errors import SAFE_METHODS

DEEDS = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}


def may(request: Request, deed: str, model: str) -> bool:
    user = request.user
    # Staff of other rooms (who review cases, say) is no staff of the catalogue.
    return bool(user and user.is_staff and user.has_perm(f"catalogue.{deed}_{model}"))


class ReadOrStaff(BasePermission):
    message = "This is for staff who may change the catalogue."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS:
            return True
        # No deed: a method that the view has not, which it will say itself.
        deed = DEEDS.get(request.method or "")
        return deed is None or may(request, deed, view.model_name)  # type: ignore[attr-defined] # each view names it
