from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from shop.orders.models import Order, OrderLine

if TYPE_CHECKING:
    OrderBase = admin.ModelAdmin[Order]
    LineBase = admin.TabularInline[OrderLine, Order]
else:
    OrderBase = admin.ModelAdmin
    LineBase = admin.TabularInline


class OrderLineInline(LineBase):
    model = OrderLine
    fields = ("sku", "name", "unit_price", "quantity")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False


# Read-only: an order changes by its payment, never by hand.
@admin.register(Order)
class OrderAdmin(OrderBase):
    list_display = ("number", "customer", "state", "total", "currency", "created_at")
    list_filter = ("state", "created_at")
    list_select_related = ("customer",)
    search_fields = ("number", "customer__username", "customer__email")
    inlines = [OrderLineInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False
