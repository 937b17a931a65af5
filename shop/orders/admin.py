from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from shop.orders import handling, payment, states
from shop.orders.models import Coupon, Order, OrderLine, OrderMail, Payment

if TYPE_CHECKING:
    OrderBase = admin.ModelAdmin[Order]
    CouponBase = admin.ModelAdmin[Coupon]
    InlineBase = admin.TabularInline[Model, Order]
else:
    OrderBase = CouponBase = admin.ModelAdmin
    InlineBase = admin.TabularInline


class Shown(InlineBase):
    """To be read: these rows are written by what happens to the order."""

    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False


class LineInline(Shown):
    model = OrderLine
    fields = ("sku", "name", "unit_price", "quantity")


class PaymentInline(Shown):
    model = Payment
    fields = readonly_fields = (
        "key",
        "state",
        "amount",
        "currency",
        "card_last_four",
        "created_at",
        "settled_at",
        "refunded_at",
    )


class MailInline(Shown):
    model = OrderMail
    fields = ("kind", "state", "tries", "due_at", "sent_at")


# Read-only: an order changes by a move that its state allows, which the actions are, never by hand.
@admin.register(Order)
class OrderAdmin(OrderBase):
    list_display = ("number", "customer", "state", "total", "currency", "created_at")
    list_filter = ("state", "created_at")
    list_select_related = ("customer",)
    search_fields = ("number", "customer__username", "customer__email")
    inlines = [LineInline, PaymentInline, MailInline]
    actions = ["ship", "cancel", "refund"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_move_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.change_order")

    @admin.action(description="Ship the paid ones", permissions=["move"])
    def ship(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self._move(request, orders, lambda order: handling.ship(order, timezone.now()))

    @admin.action(description="Cancel those not shipped, and refund them", permissions=["move"])
    def cancel(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self._move(request, orders, lambda order: handling.cancel(order, payment.provider(), timezone.now()))

    @admin.action(description="Refund the shipped ones", permissions=["move"])
    def refund(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self._move(request, orders, lambda order: handling.refund(order, payment.provider(), timezone.now()))

    def _move(self, request: HttpRequest, orders: QuerySet[Order], move: Callable[[Order], None]) -> None:
        moved = 0
        for order in orders.select_related("customer"):
            try:
                move(order)
            except states.NotAllowed as exc:
                messages.warning(request, f"Order {order.number} stays {exc.order.state}.")
            else:
                moved += 1
        messages.success(request, f"Moved {moved} orders.")


@admin.register(Coupon)
class CouponAdmin(CouponBase):
    list_display = ("code", "percent", "amount", "currency", "valid_from", "valid_until", "uses", "max_uses", "active")
    list_filter = ("active",)
    search_fields = ("code",)
    readonly_fields = ("uses",)
