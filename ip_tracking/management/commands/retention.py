"""Removes what is past its time, as Beat does each night, or says what that is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ip_tracking import conf
from ip_tracking.retention import due, first_day, run

WORDS = {
    "log_days": "days of the request log",
    "log_rows": "rows of the request log",
    "batches": "ids of stored batches",
    "evidence": "findings' evidence (the findings stay)",
    "cases": "closed cases, with what was written about them",
    "texts": "texts of records without a case",
    "decisions": "ended decisions",
}


class Command(BaseCommand):
    help = "Removes what is past its time: of the request log, evidence, closed cases, what was written about them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and remove nothing")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        now, kept = datetime.now(UTC), conf.get()
        self.stdout.write(
            f"The log is kept {kept.keep_log_days} days (since {first_day(now)}), evidence {kept.keep_evidence_days}, "
            f"closed cases {kept.keep_case_days}. {'This would go' if dry_run else 'This went'}:"
        )
        for kind, number in due(now) if dry_run else run(now):
            self.stdout.write(f"{number:>10,}  {WORDS[kind]}")
