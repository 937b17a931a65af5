"""The browser tests' settings, with a limit that a page meets at its third request, and something deprecated."""

from tests.browser.settings import *  # noqa: F403
from tests.browser.settings import IP_TRACKING

ROOT_URLCONF = "tests.browser.other_origin_urls"
IP_TRACKING = {
    **IP_TRACKING,
    "POLICIES": {"browsing": {"rates": ["2/m"], "routes": ["shop:cart"], "why": "for a test"}},
}
