"""The project's settings, for a machine so busy that a store takes longer than a shop would wait: that is no outage."""

from sentinel.settings import *  # noqa: F403
from sentinel.settings import CACHES, IP_TRACKING

IP_TRACKING = {**IP_TRACKING, "STORE_TIMEOUT_S": 2.0}
CACHES = {"default": {**CACHES["default"], "OPTIONS": {"socket_timeout": 2.0, "socket_connect_timeout": 2.0}}}
