"""What Django calls after each test of real transactions: an application's command stands before its own."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import flush

from tests.emptying import tables


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        tables.empty()
