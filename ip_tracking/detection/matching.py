"""Which signatures a piece of a request shows: encodings undone, a cheap look first, the patterns only then.

Most requests are harmless and must cost next to nothing, however many signatures there come to be: their words are
looked up in one set, and only what shares a word (or a mark such as "${") with a signature meets its pattern.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

from ip_tracking.detection.signatures import SIGNATURES, Part, Signature

# Longer than any server's limit for a request line (nginx and Apache: 8 KiB), so that nothing hides behind padding.
MOST_CHARS = 8_192
# Encoded, encoded again, and once more: deeper nesting is undone by no server either.
MOST_ROUNDS = 3
# Texts repeat (agents, static files). Longer ones are rarely seen twice and would fill the memory.
CACHED_CHARS = 300

_UNICODE_ESCAPE = re.compile(r"(?:%|\\)u([0-9a-f]{4})|\\x([0-9a-f]{2})", re.IGNORECASE)
# Forms of "." "/" and "\" in more bytes than UTF-8 allows, which careless decoders accept and unquote() does not.
_OVERLONG = re.compile(
    r"%(?:c0%(?P<low>[a2]e|af|[8-9a-b][0-9a-f])|e0%80%(?P<wide>[8-b][0-9a-f])|c1%(?P<high>[89][0-9a-f]))", re.I
)
_COMMENT = re.compile(r"/\*[^*]{0,60}\*/")
_BLANKS = re.compile(r"[ \t\f\v\0]{2,}|[\t\f\v\0]")
_GAPS = bytes(byte if chr(byte).isascii() and chr(byte).isalnum() else 0x20 for byte in range(256))


def plain(text: str, part: Part) -> str:
    """The text as its victim would read it: encodings undone, one case, one space for many."""
    text = text[:MOST_CHARS]
    if part in ("query", "target"):
        text = text.replace("+", " ")
    for _ in range(MOST_ROUNDS):
        before = text
        if "%" in text:
            text = unquote(_OVERLONG.sub(_short, text), errors="replace")
        if "%u" in text or "\\" in text:
            text = _UNICODE_ESCAPE.sub(_character, text)
        if text == before:
            break
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)  # full-width letters and the like
    text = text.lower()
    if part in ("query", "target") and "/*" in text:
        text = _COMMENT.sub(" ", text)  # SQL reads a comment as a space
    return _BLANKS.sub(" ", text)


def signatures_in(part: Part, text: str) -> tuple[int, ...]:
    """The places in the table of the signatures that this part of a request shows."""
    if not text or text == "-":
        return ()
    return _cached(part, text) if len(text) <= CACHED_CHARS else _look(part, text)


class _Index:
    """The signatures of one part by what must be in a text before their pattern is tried."""

    def __init__(self, part: Part) -> None:
        self.words: dict[bytes, tuple[int, ...]] = {}
        self.marks: dict[str, tuple[int, ...]] = {}
        for place, signature in enumerate(SIGNATURES):
            if part in signature.where:
                self._add(place, signature)

    def _add(self, place: int, signature: Signature) -> None:
        for literal in signature.literals:
            if literal.isalnum():
                word = literal.encode()
                self.words[word] = (*self.words.get(word, ()), place)
            else:
                self.marks[literal] = (*self.marks.get(literal, ()), place)

    def candidates(self, text: str) -> set[int]:
        places: set[int] = set()
        words = text.encode(errors="replace").translate(_GAPS).split()
        if not self.words.keys().isdisjoint(words):
            for word in words:
                places.update(self.words.get(word, ()))
        for mark, found in self.marks.items():
            if mark in text:
                places.update(found)
        return places


_PATTERNS = tuple(re.compile(signature.pattern, re.DOTALL) for signature in SIGNATURES)
_PARTS: tuple[Part, ...] = ("path", "query", "agent", "referer", "raw", "target")
_INDEX = {part: _Index(part) for part in _PARTS}


def _look(part: Part, text: str) -> tuple[int, ...]:
    text = text[:MOST_CHARS].lower() if part == "raw" else plain(text, part)
    return tuple(place for place in sorted(_INDEX[part].candidates(text)) if _PATTERNS[place].search(text))


_cached = lru_cache(maxsize=4_096)(_look)


def _short(match: re.Match[str]) -> str:
    low, wide, high = match.group("low", "wide", "high")
    if high:
        return chr(0x40 + (int(high, 16) & 0x3F))
    number = int(low or wide, 16)
    return chr(number & 0x3F if number >= 0x80 else number)


def _character(match: re.Match[str]) -> str:
    four, two = match.groups()
    return chr(int(four or two, 16))
