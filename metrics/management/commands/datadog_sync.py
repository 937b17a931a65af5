from __future__ import annotations

import json
import time
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from metrics.datadog import assets
from metrics.datadog.account import Account, Trouble, from_environment
from metrics.datadog.sync import Sync


class Command(BaseCommand):
    help = (
        "Makes Datadog hold the dashboard, monitors, SLOs and descriptions of metrics that metrics/datadog/ says. "
        "Takes DD_API_KEY and DD_APP_KEY from the environment, and DD_SITE (or DATADOG_HOST)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would change and send nothing; needs no keys"
        )
        parser.add_argument(
            "--check",
            action="store_true",
            help="as --dry-run, let Datadog judge each monitor, and fail where anything differs",
        )
        parser.add_argument("--prune", action="store_true", help="delete what is ours and no longer in the code")

    def handle(self, *, dry_run: bool, check: bool, prune: bool, **options: object) -> None:
        try:
            account = from_environment(self._wait)
            if account is None:
                self._without_keys(dry_run and not check)
                return
            self._with(account, Sync(account, self.stdout.write, not (dry_run or check), prune, check), check)
        except Trouble as trouble:
            raise CommandError(str(trouble)) from None

    def _wait(self, pause_s: float) -> None:
        self.stdout.write(f"Waiting {pause_s:.0f} s, as Datadog asks or is not well.")
        self.stdout.flush()
        time.sleep(pause_s)

    def _without_keys(self, dry_run: bool) -> None:
        if not dry_run:
            raise CommandError("DD_API_KEY and DD_APP_KEY are not set. With --dry-run, what would be sent is shown.")
        for asset in assets.every():
            self.stdout.write(f"+ {asset.kind} {asset.key}")
            self.stdout.write(json.dumps(asset.body, indent=2))
        self.stdout.write("Shown without keys: what Datadog has was not looked at.")

    def _with(self, account: Account, sync: Sync, check: bool) -> None:
        self.stdout.write(f"{account.host}{'' if sync.write else ': nothing is sent'}")
        sync.run()
        self.stdout.write(", ".join(f"{number} {what}" for what, number in sync.done.items()) + ".")
        if sync.failures:
            raise CommandError(f"{len(sync.failures)} failed: {', '.join(sync.failures)}. Another run completes it.")
        if check and any(sync.done[what] for what in ("new", "changed", "stale")):
            raise CommandError("Datadog does not hold what the code says.")
