"""The project's settings, with some addresses more and two policies whose refusals are known beforehand.

A busy machine may be slow to answer: a store that is given up counts anew in each process.
"""

from sentinel.settings import *  # noqa: F403
from sentinel.settings import IP_TRACKING, METRICS

ROOT_URLCONF = "tests.e2e.truth_urls"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LIMITED = {"routes": ["truth:limited"], "key": "network", "why": "Known beforehand."}
IP_TRACKING = {
    **IP_TRACKING,
    "POLICIES": {
        "twenty": {**LIMITED, "rates": ["20/h"]},
        "fifteen": {**LIMITED, "rates": ["15/h"], "mode": "shadow"},
    },
    "STORE_TIMEOUT_S": 2.0,
}
# A number that does not fit the catalogue must not pass as one that was lost.
METRICS = {**METRICS, "STRICT": True, "CACHE_PREFIXES": ["known:"]}
