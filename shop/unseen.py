"""What a terminal would obey, a page would hide, or PostgreSQL cannot hold; and single bytes that were no UTF-8."""

from __future__ import annotations

import re

UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def spelled_out(text: str) -> str:
    """Returns the text with all that is unseen as an escape."""
    return UNSEEN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"  # the byte that it was
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
