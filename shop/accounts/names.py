"""One spelling for each name: what looks alike must not be two accounts, nor one account's mail go to another's box."""

from __future__ import annotations

import unicodedata


def normal_email(text: str) -> str:
    """Returns the address as it is kept and looked up: compatible letters folded (a wide A is an A), in lower case."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def normal_username(text: str) -> str:
    """Returns the name with compatible letters folded. Case counts, as it does for Django."""
    return unicodedata.normalize("NFKC", text).strip()
