"""The tests' settings on a SQLite file, whatever the project's: for tests that must hold on both."""

import tempfile

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

# A file, not memory: connections of several threads lock each other out as they do in production.
DATABASES["default"]["TEST"] = {"NAME": f"{tempfile.mkdtemp(prefix='sqlite-')}/test.sqlite3"}
