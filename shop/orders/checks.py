"""A wrong provider is found at start, not by the first customer."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, Error

from shop.orders import payment

QUESTIONS = ("charge", "find", "void", "refund")


def provider_can_be_asked(app_configs: object, **_: object) -> list[CheckMessage]:
    name, hint = settings.PAYMENT_PROVIDER, "shop/orders/payment.py says what a provider must answer."
    try:
        provider = payment.provider()
    except (ImportError, TypeError, ValueError) as error:
        return [Error(f"PAYMENT_PROVIDER={name!r} cannot be made: {error}", hint=hint, id="orders.E001")]
    missing = [question for question in QUESTIONS if not callable(getattr(provider, question, None))]
    if missing:
        return [Error(f"PAYMENT_PROVIDER={name!r} lacks {', '.join(missing)}.", hint=hint, id="orders.E002")]
    return []
