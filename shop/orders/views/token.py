"""How a stranger's cart is named: in a header, never in a URL, as paths are logged."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from shop.orders.cart_owner import Shopper

# Ours have 43 characters. A longer one is nobody's, and not worth a hash.
MAX_CHARS = 100

TOKEN = OpenApiParameter(
    "X-Cart-Token",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Of the cart that was begun without signing in. With a customer's request, its lines move into the "
    "customer's own cart.",
)


def token_of(request: Request) -> str:
    token = request.headers.get("X-Cart-Token", "").strip()
    return token if len(token) <= MAX_CHARS else ""


def shopper_of(request: Request) -> Shopper:
    customer = request.user if request.user.is_authenticated else None
    return Shopper(customer, token_of(request))
