from __future__ import annotations

from collections.abc import Callable

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save


class CatalogueConfig(AppConfig):
    name = "shop.catalogue"
    label = "catalogue"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from shop.catalogue import changes
        from shop.catalogue.models import Category, Product

        # Each row that is saved or deleted, by whatever way; what a QuerySet does at once, it tells itself.
        for signal in (post_save, post_delete):
            signal.connect(_telling(changes.products_changed), Product, weak=False)
            signal.connect(_telling(changes.tree_changed), Category, weak=False)


def _telling(change: Callable[[], None]) -> Callable[..., None]:
    # `object`: what a signal says of itself.
    def tell(**_: object) -> None:
        change()

    return tell
