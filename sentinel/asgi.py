"""For uvicorn: `uvicorn --no-proxy-headers sentinel.asgi:application`.

uvicorn ends by SIGTERM without running exit handlers, so what waits is sent when it ends the ASGI lifespan, by when
every request was answered. `--no-proxy-headers`: uvicorn would else believe any local peer's X-Forwarded-For.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sentinel.settings")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

django = get_asgi_application()

from ip_tracking.background import background  # noqa: E402 - Django must be set up first


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    else:
        await django(scope, receive, send)  # type: ignore[arg-type]  # Django's own narrower types


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await asyncio.to_thread(background.close)
            await send({"type": "lifespan.shutdown.complete"})
            return
