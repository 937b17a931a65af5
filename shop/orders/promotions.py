"""Which codes can be typed in the demo shop? One of each kind, and two that are refused; always the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from shop.orders.models import Coupon


def coupons() -> Iterator[Coupon]:
    """Yields them unsaved."""
    opening, autumn = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 9, 1, tzinfo=UTC)
    yield Coupon(code="WELCOME10", percent=10, valid_from=opening, max_uses_per_customer=1)
    yield Coupon(code="THANKS5", amount=Decimal(5), min_total=Decimal(40), valid_from=opening)
    yield Coupon(code="SUMMER25", percent=25, valid_from=datetime(2025, 6, 1, tzinfo=UTC), valid_until=autumn)
    yield Coupon(code="FIRST50", amount=Decimal(15), min_total=Decimal(60), valid_from=opening, max_uses=50, uses=50)
