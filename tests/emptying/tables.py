"""Empties what tests filled, and leaves what `migrate` did: groups, permissions, the schedule.

Django's own flush takes those too. Whatever needs a group would then fail after the first test of real transactions,
and with several workers no order of tests is certain. It is also slower: it empties every table, filled or not.
"""

from __future__ import annotations

from django.core.management.color import no_style
from django.db import connection

# By name, with the rows that `migrate` made; known from when the tests' database was.
_made: dict[str, int] = {}


def remember() -> None:
    """Called once, on a database that no test has touched."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    _made.update(_rows(names))


def empty() -> None:
    """Raises where a test left other rows than it found beside the groups, permissions or the schedule.

    Rows that were changed and not added are not seen.
    """
    rows = _rows(list(_made))
    wrong = {name: rows[name] - made for name, made in _made.items() if made and rows[name] != made}
    assert not wrong, f"A test of real transactions must take back itself what it added to {wrong}."
    filled = [name for name, made in _made.items() if rows[name] and not made]
    if filled:
        connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), filled, allow_cascade=True))


def _rows(names: list[str]) -> dict[str, int]:
    quoted = [(name, connection.ops.quote_name(name)) for name in names]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}', COUNT(*) FROM {table}" for name, table in quoted))  # noqa: S608
        return dict(cursor.fetchall())
