"""How gunicorn serves Sentinel, in `make run` and in the container: `python -m gunicorn -c deploy/gunicorn.conf.py`."""

import os
from pathlib import Path

# The process that watches the others counts its errors too, and needs to know where to send them.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sentinel.settings")

from sentinel.settings import LOGGING

wsgi_app = "sentinel.wsgi"

# Threads, because a request mostly waits: for the database, for the store. How many processes WEB_CONCURRENCY says,
# gunicorn's own variable.
worker_class = "gthread"
threads = 8

# A worker that hangs is replaced; one that is told to end has this long for the requests in hand.
timeout = 30
graceful_timeout = 10

# Longer than nginx keeps its end, so that nginx never sends into a connection we are just closing.
keepalive = 75

# A worker's sign of life is a file: on a disk that stalls, a healthy worker would be killed.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes a private file there

# Who the client is and whether it spoke TLS, Django decides, from TRUSTED_PROXIES and BEHIND_TLS_PROXY.
forwarded_allow_ips = ""

# Nobody talks to a running gunicorn here, and its socket's default path would be shared by two of them.
control_socket_disable = True

# Every request is in the request log; an access log would be the same with addresses and paths, for longer.
accesslog = None
logconfig_dict = LOGGING
