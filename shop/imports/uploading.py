"""How does a file come in? Piece by piece into the database, as it is received: never whole in memory, nor on a disk
that the worker does not see.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from shop.accounts.models import User
from shop.imports.models import Import, Piece
from shop.imports.reading import Table, shown

State = Import.State

# Small enough for any database's longest message (MariaDB's has 16 MiB), and for a row that is read at once.
PIECE_BYTES = 256 * 1024


class TooLarge(Exception):
    """The file is larger than IMPORT_MAX_BYTES."""


class KeyReused(Exception):
    """The Idempotency-Key was used for another file or other options."""


class Upload:
    """An import whose file is being received: `write` what comes, set its options, then `finish`; or `give_up`."""

    def __init__(self, user: User, now: datetime) -> None:
        self.row = Import.objects.create(requested_by=user, created_at=now)
        self._digest = hashlib.sha256()
        self._rest = bytearray()
        self._number = 0

    def write(self, data: bytes) -> None:
        """Raises TooLarge."""
        self.row.size += len(data)
        if self.row.size > settings.IMPORT_MAX_BYTES:
            raise TooLarge
        self._digest.update(data)
        self._rest += data
        while len(self._rest) >= PIECE_BYTES:
            self._keep(bytes(self._rest[:PIECE_BYTES]))
            del self._rest[:PIECE_BYTES]

    def finish(self, name: str, key: str | None) -> tuple[Import, bool]:
        """Returns the import, and whether it is this one: the same request before it is answered by that import.

        Raises reading.Unreadable for a file whose head names no columns of ours, KeyReused.
        """
        self._keep(bytes(self._rest))
        Table(pieces(self.row), self.row.delimiter)
        row, same = self.row, f"{self._digest.hexdigest()} {self.row.delimiter} {self.row.dry_run}"
        row.digest = self._digest.hexdigest()
        row.name = shown(name)[:100]
        row.state = State.WAITING
        row.key_hash = _hash("key", f"{row.requested_by_id} {key}") if key else None
        row.open_digest = _hash("file", f"{row.requested_by_id} {same} {key or ''}")
        if not _saved(row):
            if first := self._first():
                self.give_up()
                return first, False
            row.save()  # the other one ended between the two questions
        return row, True

    def give_up(self) -> None:
        Import.objects.filter(pk=self.row.pk, state=State.RECEIVING).delete()

    def _first(self) -> Import | None:
        mine = self.row
        if mine.key_hash:
            keyed = Import.objects.filter(requested_by=mine.requested_by, key_hash=mine.key_hash).first()
            if keyed is not None and (keyed.digest, keyed.delimiter, keyed.dry_run) != (
                mine.digest,
                mine.delimiter,
                mine.dry_run,
            ):
                raise KeyReused
            if keyed is not None:
                return keyed
        return Import.objects.filter(open_digest=mine.open_digest).first()

    def _keep(self, content: bytes) -> None:
        if content:
            Piece.objects.create(of=self.row, number=self._number, content=content)
            self._number += 1


def pieces(row: Import) -> Iterator[bytes]:
    """Yields the file, one piece in memory at a time: not every database's driver reads rows one by one."""
    number = 0
    while True:
        found = Piece.objects.filter(of=row, number=number).values_list("content", flat=True).first()
        if found is None:
            return
        yield bytes(found)
        number += 1


def _saved(row: Import) -> bool:
    """Returns whether no other import stands for the same request."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        return False
    return True


def _hash(what: str, text: str) -> str:
    return salted_hmac(f"shop.imports.{what}", text, algorithm="sha256").hexdigest()
