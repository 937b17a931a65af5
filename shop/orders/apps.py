from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register


class OrdersConfig(AppConfig):
    name = "shop.orders"
    label = "orders"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from shop.orders import checks

        register(checks.provider_can_be_asked, Tags.compatibility)
