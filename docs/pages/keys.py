"""What each key of `IP_TRACKING` and `METRICS` does, with an example: the page is refused where one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Told = Mapping[str, tuple[str, Any]]  # key -> effect, example: a value of any type that the key takes

IP_TRACKING: Told = {
    "MODE": (
        "the whole gate: `enforce`; `shadow` counts and refuses nobody; `off` counts nothing "
        "([the switch](decisions-in-force.md))",
        "shadow",
    ),
    "STORE_URL": (
        "Redis or Valkey that counts and holds decisions; `unix://` and `rediss://` too; "
        "`redis+cluster://one:6379,two:6379` names some nodes of a Redis Cluster (`rediss+cluster://` by TLS)",
        "rediss://redis.example.com:6379/0",
    ),
    "STORE_TIMEOUT_S": ("seconds to connect, and to wait for an answer, each; in an event loop both together", 0.05),
    "KEY_PREFIX": ("begins every key", "shop"),
    "TRUSTED_PROXIES": (
        'CIDRs of the proxies in front, and `"unix"` for a unix socket; from nobody else a header is believed: see '
        "[who is calling](client-identity.md)",
        ["10.0.0.0/8", "unix"],
    ),
    "PROXY_HEADER": ("the one header they write; `Forwarded` (RFC 7239) is understood", "CF-Connecting-IP"),
    "KNOWN_CALLER": (
        "dotted path of a function: request → user id or `None`, without I/O (check a token's signature)",
        "shop.accounts.tokens.caller_id",
    ),
    "KINDS": (
        "route name → kind: `login`, `payment`, `coupon`, `cart`, `registration`, `confirmation`, `password-reset`, "
        "`token`, `catalogue`, `health`, `graphql` (refused with `errors`), or a word of your own; [rules](rules.md) "
        "on carts and sign-ups look at `cart` and `registration`",
        {"shop:login": "login", "healthz": "health"},
    ),
    "OUTCOMES": (
        "dotted path of your signal → the outcome it means, such as `payment_declined`",
        {"shop.orders.signals.payment_declined": "payment_declined"},
    ),
    "POLICIES": (
        "rows over the shipped table: see [policies](policies.md)",
        {"login": {"rates": ["5/m"]}},
    ),
    "DEVICE_COOKIE": (
        "name of the signed cookie a device gets at a good login: strangers' wrong passwords do not lock it out; "
        '`""` for none',
        "device",
    ),
    "DEAD_AFTER_DAYS": (
        "a policy that was not asked for so long is reported by `manage.py policies` and a check",
        30,
    ),
    "LEGACY_FIELDS": (
        "also send `X-RateLimit-Limit`, `-Remaining` and `-Reset`, for clients that know no others",
        True,
    ),
    "ENFORCE": ("what a detector may do by itself: `cases` files, `throttle` and `block` also decide", "block"),
    "ENFORCE_FOR_S": ("how long the first such decision stands; [later ones are longer](decisions-in-force.md)", 600),
    "RECORD": (
        "who stores events: a `celery` worker, this process' own `thread`, or nobody (`off`)",
        "thread",
    ),
    "BACKGROUND": ("the thread that sends events and refreshes decisions; off in unit tests", False),
    "SPOOL_DIR": (
        "where batches wait while the broker is away; without one they are dropped, and counted",
        "/var/lib/shop/spool",
    ),
    "SITE_URL": ("what links to this site begin with", "https://shop.example.com"),
    "WEBHOOK_URL": (
        "where a [signed message](security-api.md#the-webhook) tells of cases of high severity or worse",
        "https://alerts.example.com/sentinel",
    ),
    "WEBHOOK_SECRET": (
        "what those messages are signed with: 32 characters or more",
        "thirty-two-characters-or-more-of-it",
    ),
    "WEBHOOK_NETWORKS": (
        "CIDRs of private networks that they may go to, by plain `http://` too; without one, only to public addresses",
        ["10.1.2.0/24"],
    ),
    "KEEP_LOG_DAYS": ("how long the request log is [kept](privacy.md), by whole UTC days", 14),
    "KEEP_EVIDENCE_DAYS": ("how long the requests frozen in findings are kept; not less than the log", 90),
    "KEEP_CASE_DAYS": (
        "how long closed cases, what was written about them, and ended decisions are kept; not less than evidence",
        365,
    ),
}

METRICS: Told = {
    "NAMESPACE": ("begins every metric's name", "shop"),
    "STRICT": (
        "a metric or tag not in the catalogue raises instead of being dropped and counted; unless set, `DEBUG`",
        True,
    ),
    "TELEMETRY": ("the `datadog` client's own numbers", True),
    "MAX_TAG_VALUES": (
        "so many values of a tag are sent, the others as `other`; [metrics.md](metrics.md) has the caps",
        {"route": 400},
    ),
    "REDIS_URLS": (
        "the servers whose numbers are exported: single ones, replicas, clusters "
        "([which](redis-numbers.md#which-servers))",
        ["redis://redis.example.com:6379/0"],
    ),
    "READY_NEEDS": ("without which of them [`/readyz`](health.md) answers 503; it tells of all", ["database"]),
    "CACHE_PREFIXES": (
        "how keys of the application's caches begin; each has hits and misses of its own",
        ["cart", "product:"],
    ),
    "NOTIFY": ("who is told by the [monitors](datadog.md)", ["@slack-shop-alerts", "@oncall@example.com"]),
    "RUNBOOKS_URL": (
        "where the [runbooks](runbooks/README.md) can be read, with `{key}` for a page's name",
        "https://wiki.example.com/sentinel/{key}",
    ),
    "MONITOR_SCOPE": ("the tags that monitors and SLOs look at", "env:production"),
}
