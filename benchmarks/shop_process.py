"""Those that measure the shop: each a process and a database of its own, as the project's settings are others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2


def run(module: str, server: str, var: Path) -> dict[str, float]:
    """Returns what `python -m module` prints, on a new database of the PostgreSQL server at this URL."""
    (var / "static").mkdir(parents=True)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DD_")},
        "DJANGO_SETTINGS_MODULE": "benchmarks.shop_settings",
        "ENV_FILE": "",
        "SECRET_KEY": "for measuring only, and long enough to please everybody",
        "HTTPS": "false",
        "ALLOWED_HOSTS": "localhost,testserver",
        "VAR_DIR": str(var),
        "DATABASE_URL": _database(server, module.rpartition(".")[2]),
    }
    done = subprocess.run([sys.executable, "-m", module], env=environment, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _database(server: str, name: str) -> str:
    """Makes a database of this name; returns its URL."""
    with closing(psycopg2.connect(server)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")
