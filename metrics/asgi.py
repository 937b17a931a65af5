"""For an ASGI server: what waits is sent when the server ends its lifespan.

uvicorn ends by SIGTERM without running exit handlers. By the end of the lifespan every request was answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from metrics import emit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def flushing(application: Application, *at_end: Callable[[], object]) -> Application:
    """Returns the application with a lifespan, which Django's has not: at its end `at_end` is called, then all sent."""

    def end() -> None:
        for call in (*at_end, emit.flush):
            call()

    async def with_lifespan(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send, end)
        else:
            await application(scope, receive, send)

    return with_lifespan


async def _lifespan(receive: Receive, send: Send, end: Callable[[], None]) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await asyncio.to_thread(end)
            await send({"type": "lifespan.shutdown.complete"})
            return
