"""For uvicorn: `uvicorn --no-proxy-headers sentinel.asgi:application`.

uvicorn ends by SIGTERM without running exit handlers, so what waits is sent when it ends the ASGI lifespan, by when
every request was answered. `--no-proxy-headers`: uvicorn would else believe any local peer's X-Forwarded-For.
"""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sentinel.settings")

django = get_asgi_application()

from ip_tracking.background import background  # noqa: E402 - Django must be set up first
from metrics.asgi import flushing  # noqa: E402

application = flushing(django, background.close)  # type: ignore[arg-type]  # Django's own narrower types
