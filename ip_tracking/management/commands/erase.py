"""Takes away what is kept of one person, and says what it cannot reach."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ip_tracking.management.decisions import actor, refusals_as_errors
from ip_tracking.review.erase import Erased, Erasure, erase_network, erase_user, is_user
from ip_tracking.review.standing import read_client
from ip_tracking.visible import visible

NOT_REACHED = (
    "What this cannot reach:",
    "- requests on their way: in the memory of web processes, in the broker, in a worker's hands. They arrive within",
    "  seconds, or when the broker is back: run it again then. A second run that finds nothing is the proof.",
    "- the spools of other hosts: run it there too",
    "- backups and replicas of the database, and PostgreSQL's own pages until it has vacuumed them",
    "- what was copied or told elsewhere: exports, the webhook, log files of proxies, mail; Datadog holds no address",
    "- free text about others that mentions this one, and accounts hashed under an earlier SECRET_KEY",
    "docs/privacy.md says more.",
)


class Command(BaseCommand):
    help = (
        "Erases what is kept of a client's network, or takes a user's name from what they did. The cases keep which "
        "rules were met, how often and when. Running it again is harmless."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--network", metavar="ADDRESS", help="a client's address; of IPv6 it stands for its /64")
        whom.add_argument("--user", metavar="ID", help="the id that the log has: the primary key, say")
        parser.add_argument(
            "--login", action="append", default=[], metavar="NAME",
            help="with --user: a further name they signed in by, such as one of a user who is deleted",
        )  # fmt: skip
        parser.add_argument("--reason", required=True, help="why, without the name: kept with yours and the time")
        parser.add_argument("--actor", help="who decides (default: your user name here)")
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and change nothing")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        asked = Erasure(actor(options["actor"]), options["reason"], datetime.now(UTC), dry_run)
        with refusals_as_errors():
            for place, erased in enumerate(self._steps(options, asked)):
                if not place:
                    self.stdout.write("This would go:" if dry_run else "This went:")
                self.stdout.write(f"{erased.number:>10,}  {visible(erased.place)}{_why_left(erased)}")
        for line in NOT_REACHED:
            self.stdout.write(line)

    def _steps(self, options: dict[str, Any], asked: Erasure) -> Iterator[Erased]:
        if options["network"] is not None:
            return erase_network(read_client(options["network"]), asked)
        user_id = options["user"].strip()
        if not is_user(user_id) and not options["login"]:
            self.stderr.write(
                f"{visible(user_id)!r} is no user of this database: only requests that have this very id are found. "
                "Give each name they signed in by as --login NAME."
            )
        return erase_user(user_id, options["login"], asked)


def _why_left(erased: Erased) -> str:
    return f" LEFT: {erased.left}" if erased.left else ""
