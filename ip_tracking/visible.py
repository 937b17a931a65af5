"""Text from strangers, made safe to look at: what would hide, reorder or command is shown as what it is."""

from __future__ import annotations

import unicodedata

# Control characters (terminal escapes among them), format characters (bidi overrides, zero width), surrogates, private
# use, line and paragraph separators.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str, most: int = 200) -> str:
    """Returns the text with each hidden character as an escape, cut to `most` characters with an ellipsis."""
    shown = text[: most + 1]
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join(_escape(c) if unicodedata.category(c) in HIDDEN else c for c in shown)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65_536 else f"\\U{number:08x}"
