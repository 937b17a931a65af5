"""The one baseline of each Redis server, shared by every worker that exports: a row of the database.

Each export goes three steps, in this order: `standing`, then it asks the servers, then `move`, which is one conditional
UPDATE. So of several exports that began from the same baseline one moves it, and only that one sends. It asked the
servers after the old baseline stood, so no window is negative, counted twice or left out. What the others read is left
to the next export.

Not in Redis itself, as docs/decisions/0014-baselines-in-the-database.md tells.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from metrics import conf
from metrics.models import RedisBaseline
from metrics.redis_stats.reading import Reading

# A baseline older than this is worth nothing: the export was off, and a day's lookups would be shown as one moment's.
KEEP = timedelta(days=1)

Baselines = dict[str, RedisBaseline]  # by Reading.identity


def standing(now: datetime) -> Baselines:
    """Returns the baselines that count; raises what django.db raises."""
    rows = RedisBaseline.objects.filter(namespace=conf.current().namespace, read_at__gte=now - KEEP)
    return {row.server: row for row in rows}


def move(old: RedisBaseline | None, reading: Reading, now: datetime) -> bool:
    """Makes a reading the baseline; False where another export has been here since `old` stood."""
    said = {"name": reading.name, "marks": dict(reading.marks), "databases": sorted(reading.keys), "read_at": now}
    rows = RedisBaseline.objects
    if old is not None:
        return rows.filter(pk=old.pk, version=old.version).update(version=old.version + 1, **said) == 1
    _, is_new = rows.get_or_create(namespace=conf.current().namespace, server=reading.identity, defaults=said)
    return is_new


def forget_old(now: datetime) -> None:
    """Removes what `standing` no longer returns: of servers that restarted, moved or are no more."""
    RedisBaseline.objects.filter(read_at__lt=now - KEEP).delete()
