"""A database that cannot keep what is written to it is found before the first migration."""

from __future__ import annotations

from collections.abc import Collection

from django.core.checks import CheckMessage, Error
from django.db import DEFAULT_DB_ALIAS, connection

HINT = "ALTER DATABASE {name} CHARACTER SET utf8mb4; then migrate. Tables that are there already need CONVERT TO."


def every_text_fits(databases: Collection[str] | None = None, **_: object) -> list[CheckMessage]:
    """On MySQL and MariaDB a database made without a word about it may hold Western European letters only."""
    if connection.vendor != "mysql" or DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT DATABASE(), @@character_set_database")
        name, charset = cursor.fetchone()
    if charset == "utf8mb4":
        return []
    return [Error(f"The database {name} holds text as {charset}.", hint=HINT.format(name=name), id="sentinel.E001")]
