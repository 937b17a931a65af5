from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from shop.orders import tasks


class Command(BaseCommand):
    help = "Does now what the worker's task does each minute: settles payments, gives back, releases what expired."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Orders: {tasks.settle_orders()}.")
