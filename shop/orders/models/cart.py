from __future__ import annotations

from django.conf import settings
from django.db import models

from shop.catalogue.models import Product
from shop.orders.models.coupon import Coupon


class Cart(models.Model):
    """What somebody means to buy: a customer, or whoever holds the token. It holds no stock and promises no price."""

    customer = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="cart"
    )
    # A cart is found by its token's hash: a copy of this table opens nobody's.
    token_hash = models.CharField(max_length=64, unique=True, null=True, blank=True, editable=False)
    coupon = models.ForeignKey(Coupon, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(customer=None, token_hash__isnull=False)
                | models.Q(customer__isnull=False, token_hash=None),
                name="cart_of_a_customer_or_a_token",
            )
        ]
        indexes = [models.Index(fields=["changed_at"], name="cart_by_change")]

    def __str__(self) -> str:
        return f"cart {self.pk}"


class CartItem(models.Model):
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["cart", "product"], name="cart_item_once_per_product"),
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="cart_item_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id}"
