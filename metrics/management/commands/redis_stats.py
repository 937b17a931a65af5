from __future__ import annotations

import redis
from django.core.management.base import BaseCommand, CommandError

from metrics import conf, redis_stats
from metrics.redis_stats import Lookups, Reading


class Command(BaseCommand):
    help = "Shows hits, misses and their ratio of each server in METRICS['REDIS_URLS']. Changes nothing."

    def handle(self, *args: object, **options: object) -> None:
        urls = conf.current().redis_urls
        if not urls:
            raise CommandError("METRICS['REDIS_URLS'] is empty: no server is watched.")
        failed = [url for url in urls if not self._show(url)]
        if failed:
            raise CommandError(f"{len(failed)} of {len(urls)} servers gave no numbers.")

    def _show(self, url: str) -> bool:
        self.stdout.write(redis_stats.name(url))
        try:
            reading = redis_stats.peek(url)
        except redis.RedisError as error:
            self.stdout.write(self.style.ERROR(f"  {error}"))
            return False
        for line in lines(reading):
            self.stdout.write(f"  {line}")
        return True


def lines(reading: Reading) -> list[str]:
    """Returns what a person reads about one server."""
    shown = [f"{'since its start':<32}{_lookups(reading.lifetime)}"]
    if reading.window is None:
        return [*shown, "since the last export           nothing was exported since the server began to count"]
    since = f"since the last export ({reading.window_s:.0f} s ago)"
    return [*shown, f"{since:<32}{_lookups(reading.window)}"]


def _lookups(lookups: Lookups) -> str:
    ratio = "no lookups" if lookups.ratio is None else f"{lookups.ratio:.1%} found"
    return f"{lookups.hits} hits, {lookups.misses} misses, {ratio}"
