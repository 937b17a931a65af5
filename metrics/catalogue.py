"""Every metric, once: what may be sent, with which tags. A new metric is one entry here, then one call of `emit`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Also the names of the methods of `emit` and of the library's client behind it.
Type = Literal["count", "gauge", "distribution"]


# eq=False: the constants below are compared and hashed by identity, which is what the hot path needs.
@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    name: str
    type: Type
    unit: str
    meaning: str
    tags: tuple[str, ...] = ()


REQUEST_TAGS = ("route", "method", "status_class")
REDIS_TAGS = ("redis_host", "redis_port", "redis_role")

REQUESTS = Metric("request.count", "count", "request", "Requests answered.", REQUEST_TAGS)
REQUEST_DURATION = Metric("request.duration", "distribution", "second", "Time until the response starts.", REQUEST_TAGS)
REQUEST_EXCEPTIONS = Metric(
    "request.exceptions", "count", "exception", "Exceptions that left a view.", ("route", "exception")
)

THROTTLED = Metric("ratelimit.throttled", "count", "throttle", "Requests over a policy's rate.", ("policy", "route"))
WOULD_THROTTLE = Metric(
    "ratelimit.would_throttle",
    "count",
    "throttle",
    "Requests that a policy in shadow would refuse.",
    ("policy", "route"),
)
BLOCKED = Metric("security.requests_blocked", "count", "request", "Requests refused.", ("reason", "route"))
FLAGGED = Metric("security.ips_flagged", "count", "event", "Networks found suspicious.", ("rule", "severity"))
ACTIONS = Metric("security.actions", "count", "event", "What people decided about cases.", ("action", "via"))
DETECTOR_RUNS = Metric("detector.runs", "count", "run", "Runs of a detector.", ("detector", "outcome"))
DETECTOR_DURATION = Metric(
    "detector.duration", "distribution", "second", "Time one run of a detector took.", ("detector", "outcome")
)
ROWS_SCANNED = Metric("detector.rows_scanned", "count", "item", "Requests a detector looked at.", ("detector",))
SWEEP_AGE = Metric(
    "detector.watermark_age",
    "gauge",
    "second",
    "How far behind the hourly sweep was when it began: a little over an hour is right.",
)
OFFENCE_TO_FLAG = Metric(
    "detector.offence_to_flag",
    "distribution",
    "second",
    "From the first offence a finding counts to the case that tells of it.",
    ("rule",),
)
CROSSING_TO_FLAG = Metric(
    "detector.crossing_to_flag",
    "distribution",
    "second",
    "From the request that crossed the threshold to the case; rules of the sweep know no such request.",
    ("rule",),
)
CROSSING_TO_BLOCK = Metric(
    "detector.crossing_to_block",
    "distribution",
    "second",
    "From the request that crossed the threshold to the block or throttle, in the store.",
    ("rule",),
)
RELEASES = Metric(
    "detector.releases",
    "count",
    "event",
    "Findings that people overruled; divided by security.ips_flagged, the share of false ones.",
    ("rule", "action"),
)
WEBHOOKS = Metric(
    "security.webhooks",
    "count",
    "event",
    "Tries to tell the webhook's receiver of a grave case: sent, again (and later), rejected, unsafe, given_up, "
    "not_queued (the broker was away), off.",
    ("outcome",),
)

POLICIES_DEAD = Metric("ratelimit.policies_dead", "gauge", "item", "Policies that guard nothing any more.")
ROUTES_UNGUARDED = Metric("ratelimit.routes_unguarded", "gauge", "item", "Sensitive routes that no policy guards.")

EVENTS_DROPPED = Metric("record.events_dropped", "count", "event", "Request events lost.", ("reason",))
EVENTS_STORED = Metric("record.events_stored", "count", "event", "Request events written to the log.")
RETENTION_REMOVED = Metric(
    "retention.removed",
    "count",
    "item",
    "What was past its time and went: rows, or on PostgreSQL days of the log.",
    ("kind",),
)
BATCHES_SPOOLED = Metric("record.batches_spooled", "count", "item", "Batches kept on disk for a later try.")
STORE_MODE_CHANGES = Metric(
    "limiter.mode_changes", "count", "occurrence", "A Redis server was lost or came back, for one process.", ("mode",)
)
GATE_MODE_CHANGES = Metric(
    "gate.mode_changes", "count", "occurrence", "The gate was switched, once for each process that saw it.", ("mode",)
)

# One unit for hits and misses, as in Datadog's own Redis integration, so that a ratio of the two has none mixed.
REDIS_HITS = Metric("redis.keyspace_hits", "count", "key", "Lookups that found their key.", REDIS_TAGS)
REDIS_MISSES = Metric("redis.keyspace_misses", "count", "key", "Lookups that found no key.", REDIS_TAGS)
REDIS_HIT_RATIO = Metric(
    "redis.hit_ratio", "gauge", "fraction", "Hits among the lookups since the last reading.", REDIS_TAGS
)
EXPORTER_RUNS = Metric("exporter.runs", "count", "run", "Readings of a Redis server.", ("outcome",))
EXPORTER_RESETS = Metric(
    "exporter.baseline_resets", "count", "occurrence", "Readings that only began a new baseline.", REDIS_TAGS
)

EMIT_DROPPED = Metric("emit.dropped", "count", "item", "Numbers not sent: wrong, or too many.", ("reason",))

ALL: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
