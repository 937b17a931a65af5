"""What is a page, and what pages embed. Nearly every request is a page, so that no row keeps it: who counts, asks."""

from __future__ import annotations

import re
from functools import lru_cache

from ip_tracking.detection.matching import CACHED_CHARS
from ip_tracking.event import Event

PAGE = "page"
UNLED_PAGE = "unled-page"
NO_REFERER = "-"  # as logs write it; "" is a line that doesn't say
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


# An API is there for programs, which come from nowhere and name themselves as they like.
_FOR_PROGRAMS = re.compile(r"/(?:api|rest|graphql|rpc|v\d)(?:/|$)", re.IGNORECASE)
# Says it is a browser, or nothing, or what scripts are written with. Robots, apps and servers have names of their own.
_HIDES = re.compile(
    r"(?!.*(?:bot\b|spider|crawl|https?://))(?:Mozilla/(?:[\d.]+$|.*\b(?:Chrome|Firefox|Safari|MSIE|Trident|Opera)\b)"
    r"|(?:curl|wget|python|aiohttp|scrapy|go-http-client|libwww-perl)\b|$)",
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


def is_unled(event: Event, referer: str) -> bool:
    """A page that no other led to, asked for by something that hides what it is. Only a log knows the referer."""
    return referer == NO_REFERER and _hides(event.user_agent) and _FOR_PROGRAMS.search(event.path) is None


@lru_cache(maxsize=4_096)
def _hides(agent: str) -> bool:
    return _HIDES.match(agent) is not None


def as_page(event: Event, *, unled: bool = False) -> Event:
    """The event as the rules on pages count it."""
    shown = f"{event.symptoms} {PAGE} {UNLED_PAGE}" if unled else f"{event.symptoms} {PAGE}"
    return event._replace(symptoms=shown.lstrip())
