"""What gunicorn (`tests.outage.app:wsgi`) and uvicorn (`tests.outage.app:asgi`) serve."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.outage.settings"

wsgi = get_wsgi_application()
asgi = get_asgi_application()
