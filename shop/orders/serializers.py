from __future__ import annotations

from typing import Any

from rest_framework import serializers

from shop.orders.models import Order, OrderLine
from shop.orders.payment import Card

MAX_LINES = 20
MAX_QUANTITY = 100


class ItemSerializer(serializers.Serializer[dict[str, Any]]):
    sku = serializers.CharField(max_length=40)
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY)


class CheckoutSerializer(serializers.Serializer[dict[str, Any]]):
    items = serializers.ListField(child=ItemSerializer(), allow_empty=False, max_length=MAX_LINES)
    card = serializers.CharField(write_only=True, max_length=40, help_text="The card's number; spaces are fine.")

    def validate_items(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        skus = [item["sku"] for item in items]
        twice = sorted({sku for sku in skus if skus.count(sku) > 1})
        if twice:
            raise serializers.ValidationError(f"Each SKU once, please: {', '.join(twice)}.")
        return items

    def validate_card(self, number: str) -> Card:
        card = Card(number.replace(" ", ""))
        if not card.is_well_formed:
            raise serializers.ValidationError("This is not a card number.")
        return card


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    class Meta:
        model = OrderLine
        fields = ["sku", "name", "unit_price", "quantity"]


class OrderSerializer(serializers.ModelSerializer[Order]):
    lines = OrderLineSerializer(many=True, read_only=True)

    class Meta:
        model = Order
        fields = ["number", "state", "total", "currency", "card_last_four", "created_at", "lines"]
