"""The project's settings for a shop that has all that attackers want, and a test that has a minute.

What differs from what ships: `login` lets ten failures through in a minute, so that slow credential stuffing (thirty
accounts, one every two minutes) takes its time; here it lets sixty. Passwords are checked, but their hashes are cheap.
And a busy machine may be slow to answer: a store that is given up counts anew in each process.
"""

from sentinel.settings import *  # noqa: F403
from sentinel.settings import IP_TRACKING

ROOT_URLCONF = "tests.simulators.urls_shop"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
IP_TRACKING = {
    **IP_TRACKING,
    "KINDS": {
        **IP_TRACKING["KINDS"],
        "shop:register": "registration",
    },
    "POLICIES": {"login": {"rates": ["60/m"]}},
    "STORE_TIMEOUT_S": 2.0,
}
