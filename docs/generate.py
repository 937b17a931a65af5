"""Writes what the docs take from the code. `--check` only says which files are out of step."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sentinel.settings")
os.environ.setdefault("DEBUG", "true")
# As in production, whatever stands here: how large a number may be is the database's to say. Nothing connects to it.
os.environ["DATABASE_URL"] = "postgres://sentinel@postgres.example.com/sentinel"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import django  # noqa: E402
from django.test import override_settings  # noqa: E402

django.setup()

from pages import erd, graphql, metrics, openapi, policies, postman, reference, rules, runbooks, settings  # noqa: E402

from metrics.datadog import assets  # noqa: E402

# One line for each file of docs/; what makes its text is in docs/pages/.
PAGES = {
    "api-reference.md": reference.page,
    "erd.svg": erd.page,
    "metrics.md": metrics.page,
    "openapi.yaml": openapi.page,
    "policies.md": policies.page,
    "postman_collection.json": postman.page,
    "rules.md": rules.page,
    "runbooks/README.md": runbooks.page,
    "schema.graphql": graphql.page,
    "settings.md": settings.page,
}


def files() -> dict[Path, str]:
    """Returns each written file with its text, as it is where nobody has set anything."""
    with override_settings(METRICS={}):
        return {**{ROOT / "docs" / name: make() for name, make in PAGES.items()}, **assets.files()}


def main() -> int:
    wanted = files()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    left = [path for path in assets.FILES.rglob("*.json") if path not in wanted]
    if "--check" not in sys.argv:
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        for path in left:
            path.unlink()
    elif stale or left:
        names = ", ".join(str(path.relative_to(ROOT)) for path in [*stale, *left])
        sys.stderr.write(f"Out of step with the code: {names}. Run `make docs`.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
