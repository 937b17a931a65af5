"""Examples for the API's description that several operations show."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample

from shop.errors import MEDIA_TYPE

ORDER = {
    "number": "0b9c7a64-6f0e-4f2e-9a8e-0d2b6d0f6c11",
    "customer": "ada",
    "state": "paid",
    "currency": "EUR",
    "subtotal": "256.98",
    "coupon": "WELCOME10",
    "discount": "25.70",
    "total": "231.28",
    "created_at": "2025-03-01T12:00:00Z",
    "expires_at": "2025-03-01T12:15:00Z",
    "lines": [{"sku": "LIG-00002", "name": "Classic Linen Sconce", "unit_price": "128.49", "quantity": 2}],
    "payments": [
        {"state": "approved", "amount": "231.28", "card_last_four": "4242", "created_at": "2025-03-01T12:00:00Z"}
    ],
}
CART = {
    "token": "",
    "lines": [
        {
            "sku": "LIG-00002",
            "slug": "classic-linen-sconce",
            "name": "Classic Linen Sconce",
            "unit_price": "128.49",
            "currency": "EUR",
            "quantity": 2,
            "total": "256.98",
            "stock": 180,
            "problem": "",
        }
    ],
    "coupon": "WELCOME10",
    "coupon_holds": True,
    "currency": "EUR",
    "subtotal": "256.98",
    "discount": "25.70",
    "total": "231.28",
    "can_be_bought": True,
}
CART_EXAMPLE = OpenApiExample("Two sconces", CART, response_only=True, status_codes=["200", "201"])
DECLINED_EXAMPLE = OpenApiExample(
    "Declined",
    {
        "type": "urn:problem-type:shop:payment-declined",
        "title": "Payment declined",
        "status": 402,
        "detail": "The card was declined and nothing was charged. The order can be paid by another card until it "
        "expires.",
        "order": "0b9c7a64-6f0e-4f2e-9a8e-0d2b6d0f6c11",
        "state": "placed",
    },
    response_only=True,
    status_codes=["402"],
    media_type=MEDIA_TYPE,
)
COUPON_EXAMPLES = [
    OpenApiExample("A newsletter's", {"code": "WELCOME10"}, request_only=True),
    OpenApiExample(
        "Refused",
        {
            "type": "urn:problem-type:shop:coupon-refused",
            "title": "Coupon refused",
            "status": 422,
            "detail": "This code does not hold for this cart.",
        },
        response_only=True,
        status_codes=["422"],
        media_type=MEDIA_TYPE,
    ),
]
