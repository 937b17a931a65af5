from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from shop.orders import checkout, payment


class Command(BaseCommand):
    help = "Settles orders whose payment got no answer: paid if the provider took the money, else declined."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--minutes", type=int, default=15, help="leave younger orders alone (default: 15)")

    def handle(self, *args: Any, **options: Any) -> None:
        # A younger order may be waiting for its answer at this moment.
        if options["minutes"] < 1:
            raise CommandError("--minutes must be 1 or more.")
        now = timezone.now()
        settled = checkout.settle_unsettled(payment.PROVIDER, now - timedelta(minutes=options["minutes"]), now)
        self.stdout.write(f"Settled {settled} orders.")
