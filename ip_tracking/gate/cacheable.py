"""May a shared cache (a CDN, a proxy) keep an answer and give it to others? By RFC 9111, from its fields alone."""

from __future__ import annotations

import re
from functools import lru_cache

from django.http import HttpResponse

# RFC 9213: what a field aimed at CDNs allows, they do, whatever Cache-Control says.
CONTROLS = ("Cache-Control", "CDN-Cache-Control", "Surrogate-Control")

# With these a cache works out how long an answer lasts where no directive says it. An answer with neither could be
# kept too, but there is nothing to work it out from: every plain answer of an API is such a one.
LIFETIMES = ("Expires", "Last-Modified")

FIELDS = frozenset(name.lower() for name in CONTROLS + LIFETIMES)

DIRECTIVE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
ALLOWING = frozenset({"public", "max-age", "s-maxage"})


def is_shareable(response: HttpResponse) -> bool:
    """Errs towards yes: an answer to a request with Authorization, say, is kept only where it is said more plainly."""
    if FIELDS.isdisjoint([name.lower() for name in response.headers]):  # most answers; the rest costs 3 us
        return False
    controls = [_read(response[name]) for name in CONTROLS if name in response]
    if any(allows and not forbids for allows, forbids in controls):
        return True
    if any(forbids for _, forbids in controls):
        return False
    return any(name in response for name in LIFETIMES)


@lru_cache(maxsize=256)
def _read(control: str) -> tuple[bool, bool]:
    """Returns whether a field allows a shared cache to keep the answer, and whether it forbids it.

    `private="Set-Cookie"` forbids that field alone, so only a bare one counts; `must-understand` lifts `no-store` for
    a cache that does.
    """
    directives = {directive.strip().lower() for directive in DIRECTIVE.findall(control)}
    forbids = "private" in directives or ("no-store" in directives and "must-understand" not in directives)
    return any(directive.partition("=")[0].rstrip() in ALLOWING for directive in directives), forbids
