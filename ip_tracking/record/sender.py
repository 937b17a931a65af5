"""Hands the buffer over, batch by batch: to the broker, or where that fails to the spool, to be sent later.

Secrets go here, on the background thread: no request waits for it, and no raw value leaves the process.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable

from ip_tracking.record import buffer
from ip_tracking.record.message import Message, NotSent, pack
from ip_tracking.record.spool import Spool
from ip_tracking.redaction import redact
from metrics import catalogue, emit

logger = logging.getLogger(__name__)

EVERY_S = 0.25

# How often each process tells how much waits: as often as the Agent sends on.
TELL_S = 10.0

# After a failure batches go straight to the spool for so long: each try may cost the timeout.
BREAK_S = 5.0

Deliver = Callable[[str, Message], None]


class Sender:
    """`deliver` hands one batch over; it raises NotSent where it could not."""

    def __init__(self, deliver: Deliver, spool: Spool, clock: Callable[[], float] = time.monotonic) -> None:
        self._deliver = deliver
        self._spool = spool
        self._clock = clock
        self._broken_until = 0.0
        self._most = 0  # that waited at once, since it was last told

    def flush(self, *, last: bool = False) -> None:
        """Sends all that waits in the buffer, then spooled batches until it is time for the buffer again.

        While the broker is left alone, less than a batch waits in the buffer, but for the `last` time: else quiet
        processes would fill the spool with files of one event. Every BREAK_S the next try takes it along.
        """
        self._most = max(self._most, buffer.waiting())
        if self._clock() < self._broken_until and buffer.waiting() < buffer.BATCH and not last:
            return
        while events := buffer.take():
            self._send(str(uuid.uuid4()), pack(list(map(redact, events))))
        if self._clock() >= self._broken_until:
            self._send_spooled()

    def tell(self) -> None:
        """Says how much waits here, in the buffer at its fullest and on this host's disk."""
        most, self._most = self._most, 0
        emit.distribution(catalogue.BUFFER_LENGTH, most)
        sizes = self._spool.sizes()
        emit.distribution(catalogue.SPOOL_BATCHES, len(sizes))
        emit.distribution(catalogue.SPOOL_BYTES, sum(sizes))

    def _send(self, batch_id: str, message: Message) -> None:
        if self._clock() >= self._broken_until:
            try:
                self._deliver(batch_id, message)
            except NotSent as error:
                self._break(error)
            except Exception:  # whatever is wrong with this batch, the next ones must not wait for it
                logger.exception("A batch of events could not be sent.")
            else:
                return
        if not self._spool.keep(batch_id, message):
            emit.count(catalogue.EVENTS_DROPPED, len(message["events"]), reason="not_sent")

    def _send_spooled(self) -> None:
        until = self._clock() + EVERY_S
        try:
            self._spool.send(self._deliver, lambda: self._clock() < until)
        except NotSent as error:
            self._break(error)

    def _break(self, error: NotSent) -> None:
        if self._broken_until <= self._clock():
            logger.warning("Events cannot be sent (%s); they are spooled for now.", error)
        self._broken_until = self._clock() + BREAK_S
