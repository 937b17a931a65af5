"""The states of orders and payments, under the names that the schema has for them."""

from __future__ import annotations

import strawberry

from shop.orders.models import Order, Payment

OrderState = Order.State
PaymentState = Payment.State

strawberry.enum(OrderState, name="OrderState")
strawberry.enum(PaymentState, name="PaymentState")
