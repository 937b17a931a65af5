"""What is a page, and what pages embed. Nearly every request is a page, so that no row keeps it: who counts, asks."""

from __future__ import annotations

import re
from functools import lru_cache

from ip_tracking.detection.matching import CACHED_CHARS
from ip_tracking.event import Event

PAGE = "page"
METHODS = ("GET", "HEAD")
UNCHANGED = 304  # the answer to who has the page already: a browser, and no crawler

# Of each network and second at most the first so many views are looked at, live and in replay alike. A crawl crosses
# its threshold long before; who asks for one page a hundred times first is not looked at for the rest of that second.
VIEWS_READ = 100

# Pages embed these and browsers ask for them by themselves, so that their absence says nothing of who asks.
_EMBEDDED = re.compile(
    r"\.(?:jpe?g|png|gif|webp|avif|svg|ico|bmp|css|js|mjs|map|woff2?|ttf|otf|eot|mp[34]|webm|ogg|m4[av]|vtt|wasm|webmanifest)$"
    r"|/(?:robots|ads|app-ads|humans|security|llms)\.txt$|/sitemap[\w.-]{0,40}\.xml(?:\.gz)?$|/(?:browserconfig|crossdomain)\.xml$"
    r"|/(?:manifest|apple-app-site-association)(?:\.json)?$|/apple-touch-icon|/favicon|^/\.well-known/",
    re.IGNORECASE,
)


def is_embedded(path: str) -> bool:
    return _is_embedded(path) if len(path) <= CACHED_CHARS else _EMBEDDED.search(path) is not None


@lru_cache(maxsize=4_096)
def _is_embedded(path: str) -> bool:
    return _EMBEDDED.search(path) is not None


def is_page(event: Event) -> bool:
    """Whatever came of it: a crawler also meets redirects and a backend that is away."""
    return (
        event.method in METHODS
        and event.status != UNCHANGED
        and not event.refused
        and event.kind != "health"
        and not is_embedded(event.path)
    )


def as_page(event: Event) -> Event:
    """The event as the rules on pages count it."""
    return event._replace(symptoms=f"{event.symptoms} {PAGE}".lstrip())
