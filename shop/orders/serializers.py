from __future__ import annotations

from typing import Any

from rest_framework import serializers

from shop.orders.cart_owner import MAX_LINES, MAX_QUANTITY
from shop.orders.coupons import MAX_CODE
from shop.orders.models import Order, OrderLine, Payment
from shop.orders.payment import Card
from shop.texts import OnlyText


class QuantitySerializer(serializers.Serializer[dict[str, Any]]):
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY)


class ItemSerializer(QuantitySerializer):
    sku = OnlyText(max_length=40)


class CodeSerializer(serializers.Serializer[dict[str, Any]]):
    code = OnlyText(max_length=MAX_CODE)


class CartLineSerializer(serializers.Serializer[Any]):
    sku = serializers.CharField(source="product.sku")
    slug = serializers.CharField(source="product.slug")
    name = serializers.CharField(source="product.name")
    unit_price = serializers.DecimalField(10, 2, source="product.price", help_text="Today's price.")
    currency = serializers.CharField(source="product.currency")
    quantity = serializers.IntegerField()
    total = serializers.DecimalField(14, 2)
    stock = serializers.IntegerField(help_text="How many there are now.")
    problem = serializers.ChoiceField(["", "not-on-sale", "short-of-stock"], help_text="Why it cannot be bought.")


class CartSerializer(serializers.Serializer[Any]):
    """A cart at today's prices."""

    token = serializers.CharField(help_text="Said once, where the request made the cart: send it as X-Cart-Token.")
    lines = CartLineSerializer(many=True)
    coupon = serializers.CharField(source="coupon.code", allow_null=True, default=None)
    coupon_holds = serializers.BooleanField(help_text="Whether the coupon counts for this cart as it stands.")
    currency = serializers.CharField(allow_null=True, help_text="None where the lines have several.")
    subtotal = serializers.DecimalField(16, 2, allow_null=True)
    discount = serializers.DecimalField(16, 2)
    total = serializers.DecimalField(16, 2, allow_null=True)
    can_be_bought = serializers.BooleanField()


class PaySerializer(serializers.Serializer[dict[str, Any]]):
    card = OnlyText(write_only=True, max_length=40, help_text="The card's number; spaces are fine.")

    def validate_card(self, number: str) -> Card:
        card = Card(number.replace(" ", ""))
        if not card.is_well_formed:
            raise serializers.ValidationError("This is not a card number.")
        return card


class CheckoutSerializer(PaySerializer):
    items = serializers.ListField(
        child=ItemSerializer(),
        allow_empty=False,
        max_length=MAX_LINES,
        required=False,
        help_text="What to buy. Without it: the cart, which is then empty.",
    )
    coupon = OnlyText(max_length=MAX_CODE, required=False, help_text="With `items` only.")
    expected_total = serializers.DecimalField(
        16, 2, required=False, help_text="What you showed the customer; another total is refused."
    )

    def validate_items(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        skus = [item["sku"] for item in items]
        twice = sorted({sku for sku in skus if skus.count(sku) > 1})
        if twice:
            raise serializers.ValidationError(f"Each SKU once, please: {', '.join(twice)}.")
        return items

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "coupon" in attrs and "items" not in attrs:
            raise serializers.ValidationError({"coupon": "A cart has its own coupon: put it there."})
        return attrs


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    class Meta:
        model = OrderLine
        fields = ["sku", "name", "unit_price", "quantity"]


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    class Meta:
        model = Payment
        fields = ["state", "amount", "card_last_four", "created_at"]


class OrderSerializer(serializers.ModelSerializer[Order]):
    customer = serializers.CharField(source="customer.username", read_only=True)
    coupon = serializers.CharField(source="coupon.code", read_only=True, allow_null=True, default=None)
    subtotal = serializers.DecimalField(16, 2, read_only=True)
    lines = OrderLineSerializer(many=True, read_only=True)
    payments = PaymentSerializer(many=True, read_only=True)

    class Meta:
        model = Order
        fields = [
            "number",
            "customer",
            "state",
            "currency",
            "subtotal",
            "coupon",
            "discount",
            "total",
            "created_at",
            "expires_at",
            "lines",
            "payments",
        ]


class OrderQuerySerializer(serializers.Serializer[dict[str, Any]]):
    """What may be asked of the list of orders."""

    state = serializers.ChoiceField(Order.State.choices, required=False)
    customer = serializers.CharField(required=False, max_length=150, help_text="A username; staff see all customers'.")
