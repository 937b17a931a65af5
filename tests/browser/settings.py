"""The project's settings, for a machine so busy that a store takes longer than a shop would wait: that is no outage."""

from sentinel.settings import *  # noqa: F403
from sentinel.settings import CACHES, IP_TRACKING, METRICS, REDIS_URL

IP_TRACKING = {**IP_TRACKING, "STORE_TIMEOUT_S": 2.0}
CACHES = {"default": {**CACHES["default"], "OPTIONS": {"socket_timeout": 2.0, "socket_connect_timeout": 2.0}}}
# One server that answers and one that never does, so that the page about health shows both.
METRICS = {**METRICS, "REDIS_URLS": [REDIS_URL, "redis://127.0.0.1:1/0"]}
