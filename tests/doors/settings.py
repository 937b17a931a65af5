"""The project as in production, with views that fail in every way there is."""

from sentinel.settings import *  # noqa: F403

ROOT_URLCONF = "tests.doors.urls"
CELERY_IMPORTS = ["tests.doors.tasks"]
