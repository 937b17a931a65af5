"""How the refusals of shop.imports look from outside."""

from __future__ import annotations

from http import HTTPStatus

from shop.errors import Problem


def too_large(most: int) -> Problem:
    size = f"{most // 2**20} MiB" if most >= 2**20 else f"{most:,} bytes"
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "file-too-large", "File too large", f"A file may have {size}. Divide it."
    )


def key_reused() -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "idempotency-key-reused",
        "Idempotency-Key used before",
        "This key was used for another file or other options. Take a new one.",
    )


def over(state: str) -> Problem:
    return Problem(HTTPStatus.CONFLICT, "import-over", "Import over", f"This import is {state}.", state=state)
