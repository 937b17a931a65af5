"""A time limit within an event loop that does not take the loop's own business for a slow server."""

from __future__ import annotations

import asyncio
from types import TracebackType

# The time is counted in so many parts, and one in which the loop did not come round counts once, however long it took.
# Else a view that computes for 20 ms, or a hundred requests that connect at once, would look like an outage.
PARTS = 10


class Patience:
    def __init__(self, timeout_s: float) -> None:
        self._part_s = timeout_s / PARTS
        self._limit = asyncio.timeout(None)

    async def __aenter__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._left = PARTS
        self._next = self._loop.call_later(self._part_s, self._part_is_over)
        await self._limit.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises TimeoutError where the time was over."""
        self._next.cancel()
        await self._limit.__aexit__(kind, error, trace)

    def _part_is_over(self) -> None:
        self._left -= 1
        if self._left:
            self._next = self._loop.call_later(self._part_s, self._part_is_over)
        else:
            self._limit.reschedule(self._loop.time())
