"""Hands the buffer over, batch by batch: to the broker, or where that fails to the spool, to be sent later."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable

from ip_tracking.record import buffer
from ip_tracking.record.message import Message, pack
from ip_tracking.record.publish import NotSent
from ip_tracking.record.spool import Spool
from metrics import catalogue, emit

logger = logging.getLogger(__name__)

EVERY_S = 0.25

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

    def flush(self) -> None:
        """Sends all that waits in the buffer, then the spooled batches while nothing new comes in."""
        while events := buffer.take():
            self._send(str(uuid.uuid4()), pack(events))
        if self._clock() >= self._broken_until:
            self._send_spooled()

    def _send(self, batch_id: str, message: Message) -> None:
        if self._clock() >= self._broken_until:
            try:
                self._deliver(batch_id, message)
            except NotSent as error:
                self._break(error)
            else:
                return
        if not self._spool.keep(batch_id, message):
            emit.count(catalogue.EVENTS_DROPPED, len(message["events"]), reason="not_sent")

    def _send_spooled(self) -> None:
        try:
            while self._spool.send_one(self._deliver) and not buffer.waiting():
                pass
        except NotSent as error:
            self._break(error)

    def _break(self, error: NotSent) -> None:
        if self._broken_until <= self._clock():
            logger.warning("Events cannot be sent (%s); they are spooled for now.", error)
        self._broken_until = self._clock() + BREAK_S
