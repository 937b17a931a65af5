"""Every number, once: what may be sent, with which tags. A new metric is one entry here, then one call of `emit`."""

from __future__ import annotations

from metrics.entry import Event, Metric, ServiceCheck, Tag, closed

# Tags. A value outside a closed set is refused; what the project names itself is bounded in number.

ROUTE = Tag("route", "The name of the route, `unresolved` where no route matched.")
METHOD = closed(
    "method",
    "The request's method, `OTHER` for a word that is none.",
    *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "OTHER"),
)
STATUS_CLASS = closed("status_class", "The status by its hundreds.", "1xx", "2xx", "3xx", "4xx", "5xx", "other")
EXCEPTION = Tag("exception", "The class of the exception.", most=100)
POLICY = Tag("policy", "The name of the policy.", most=100)
REFUSAL = closed("reason", "The decision that refused.", "block", "throttle")
ANSWER = closed("answer", "What the policies say for a store that is away.", "open", "degraded", "closed")
RULE = Tag("rule", "The name of the rule.", most=100)
SEVERITY = closed("severity", "How grave.", "low", "medium", "high", "critical")
ACTION = Tag("action", "What was done.", most=30)
VIA = closed("via", "Where it was done.", "admin", "api", "command")
VERDICT = closed(
    "verdict", "What the person found.", "malicious", "benign", "false_positive", "testing", "inconclusive"
)
TRIAGE = closed("status", "Where the case stands.", "open", "snoozed", "closed")
SIGN_IN = closed("outcome", "How the attempt to sign in ended.", "success", "failure", "refused")
DETECTOR = closed("detector", "Which detector.", "bursts", "hourly")
DONE = closed("outcome", "How the run ended.", "ok", "error")
DELIVERY = closed(
    "outcome",
    "What became of the message; `again` is tried later, `not_queued` found the broker away.",
    *("sent", "again", "rejected", "unsafe", "given_up", "not_queued", "off"),
)
LOSS = closed("reason", "Why.", "buffer_full", "not_sent", "spool_full", "future")
KIND = Tag("kind", "Of what.", most=30)
STORE = closed("mode", "What the process found.", "store", "away")
GATE = closed("mode", "What the gate does from then on.", "enforce", "shadow", "off")
REDIS_HOST = Tag("redis_host", "The server's host, or the path of its socket.", most=50)
REDIS_PORT = Tag("redis_port", "Its port, 0 for a socket.", most=50)
REDIS_ROLE = closed("redis_role", "The server's word for what it is.", "master", "slave", "unknown")
REDIS_DB = Tag("redis_db", "The number of the database.", most=64)
REDIS = (REDIS_HOST, REDIS_PORT, REDIS_ROLE)
READING = closed(
    "outcome",
    "How the reading ended; `reset` only began a new baseline, `overtaken` left the counts to another export.",
    "ok",
    "reset",
    "overtaken",
    "error",
)
CACHE = Tag("cache", "The name of the cache in CACHES.", most=20)
PREFIX = Tag("prefix", "What the key is for, of the names in METRICS['CACHE_PREFIXES']; else `other`.", most=50)
TASK = Tag("task", "The name of the task.")
QUEUE = Tag("queue", "The name of the queue.", most=50)
STATE = closed(
    "state",
    "How it ended. `expired` waited too long; by `timeout` and `lost` a process ended; `unknown` is no worker's task.",
    *("success", "failure", "retry", "rejected", "ignored", "revoked", "expired", "timeout", "lost", "unknown"),
)
LEVEL = closed("level", "Of the log line.", "error", "critical")
LOGGER = Tag("logger", "The first part of the logger's name.", most=50)
WRONG = closed(
    "reason",
    "Wrong by the catalogue, or too much for the way to the Agent.",
    *("metric", "type", "tags", "tag_value", "value", "unusable", "queue_full", "late", "socket"),
)

REQUEST = (ROUTE, METHOD, STATUS_CLASS)

# Requests

REQUESTS = Metric("request.count", "count", "request", "Requests that ended, streams with their body.", REQUEST)
REQUEST_DURATION = Metric("request.duration", "distribution", "second", "Time until the response starts.", REQUEST)
RESPONSE_SIZE = Metric("request.response_size", "distribution", "byte", "Bytes of the body that went out.", REQUEST)
REQUEST_EXCEPTIONS = Metric(
    "request.exceptions", "count", "exception", "Exceptions that became a 500, or broke a body off.", (ROUTE, EXCEPTION)
)
ABORTED = Metric("request.aborted", "count", "request", "Requests whose client left before the end.", (ROUTE, METHOD))
ERRORS = Metric("log.errors", "count", "error", "Lines of level error and worse in the log.", (LOGGER, LEVEL))

# The gate

THROTTLED = Metric("ratelimit.throttled", "count", "throttle", "Requests over a policy's rate.", (POLICY, ROUTE))
WOULD_THROTTLE = Metric(
    "ratelimit.would_throttle", "count", "throttle", "Requests that a policy in shadow would refuse.", (POLICY, ROUTE)
)
BLOCKED = Metric("security.requests_blocked", "count", "request", "Requests refused by a decision.", (REFUSAL, ROUTE))
STORE_MISSING = Metric("limiter.store_missing", "count", "request", "Requests decided without the store.", (ANSWER,))
STORE_MODE_CHANGES = Metric(
    "limiter.mode_changes", "count", "occurrence", "A Redis server was lost or came back, for one process.", (STORE,)
)
GATE_MODE_CHANGES = Metric(
    "gate.mode_changes", "count", "occurrence", "The gate was switched, once for each process that saw it.", (GATE,)
)
POLICIES_DEAD = Metric("ratelimit.policies_dead", "gauge", "item", "Policies that guard nothing any more.")
ROUTES_UNGUARDED = Metric("ratelimit.routes_unguarded", "gauge", "item", "Sensitive routes that no policy guards.")
AUTH_ATTEMPTS = Metric("auth.attempts", "count", "attempt", "Attempts to sign in.", (SIGN_IN,))

# The record

EVENTS_DROPPED = Metric("record.events_dropped", "count", "event", "Request events lost.", (LOSS,))
EVENTS_STORED = Metric("record.events_stored", "count", "event", "Request events written to the log.")
BUFFER_LENGTH = Metric(
    "record.buffer_length",
    "distribution",
    "event",
    "The most events that waited in one process, each ten seconds.",
)
BATCHES_SPOOLED = Metric("record.batches_spooled", "count", "item", "Batches kept on disk for a later try.")
SPOOL_BYTES = Metric("record.spool_bytes", "distribution", "byte", "The size of these batches.")
SPOOL_BATCHES = Metric("record.spool_batches", "distribution", "item", "Batches that waited on one host's disk.")
RETENTION_REMOVED = Metric(
    "retention.removed",
    "count",
    "item",
    "What was past its time and went: rows, or on PostgreSQL days of the log.",
    (KIND,),
)

# Detection

FLAGGED = Metric("security.ips_flagged", "count", "event", "Networks found suspicious.", (RULE, SEVERITY))
DETECTOR_RUNS = Metric("detector.runs", "count", "run", "Runs of a detector.", (DETECTOR, DONE))
DETECTOR_DURATION = Metric(
    "detector.duration", "distribution", "second", "Time one run of a detector took.", (DETECTOR, DONE)
)
ROWS_SCANNED = Metric("detector.rows_scanned", "count", "item", "Requests a detector looked at.", (DETECTOR,))
SWEEP_AGE = Metric(
    "detector.watermark_age",
    "gauge",
    "second",
    "How long ago the hours end that the sweep has seen: up to two hours and a little is right.",
)
UNEXAMINED_AGE = Metric(
    "detector.unexamined_age", "gauge", "second", "Age of the oldest stored batch that nobody examined; 0 without one."
)
OFFENCE_TO_FLAG = Metric(
    "detector.offence_to_flag",
    "distribution",
    "second",
    "From the first offence a finding counts to the case that tells of it.",
    (RULE,),
)
CROSSING_TO_FLAG = Metric(
    "detector.crossing_to_flag",
    "distribution",
    "second",
    "From the request that crossed the threshold to the case; rules of the sweep know no such request.",
    (RULE,),
)
CROSSING_TO_BLOCK = Metric(
    "detector.crossing_to_block",
    "distribution",
    "second",
    "From the request that crossed the threshold to the block or throttle, in the store.",
    (RULE,),
)
RELEASES = Metric(
    "detector.releases",
    "count",
    "event",
    "Findings that people overruled; divided by security.ips_flagged, the share of false ones.",
    (RULE, ACTION),
)

# Review

CASES = Metric("security.suspicious_ips", "gauge", "item", "Cases there are.", (TRIAGE, SEVERITY))
OLDEST_CASE = Metric(
    "security.review_oldest_age", "gauge", "second", "Age of the oldest case to review; 0 without one.", (SEVERITY,)
)
REVIEW_DURATION = Metric(
    "security.review_duration", "distribution", "second", "From a case's filing to its verdict.", (VERDICT, SEVERITY)
)
ACTIONS = Metric("security.actions", "count", "event", "What people decided about cases.", (ACTION, VIA))
UNDONE = Metric("security.actions_undone", "count", "event", "What people took back.", (ACTION,))
WEBHOOKS = Metric(
    "security.webhooks", "count", "event", "Tries to tell the webhook's receiver of a grave case.", (DELIVERY,)
)

# Redis. One unit for hits and misses, as in Datadog's own integration, so that a ratio of the two has none mixed.

REDIS_HITS = Metric("redis.keyspace_hits", "count", "key", "Lookups that found their key.", REDIS)
REDIS_MISSES = Metric("redis.keyspace_misses", "count", "key", "Lookups that found no key.", REDIS)
REDIS_HIT_RATIO = Metric("redis.hit_ratio", "gauge", "fraction", "Hits among the lookups since the last one.", REDIS)
REDIS_MISS_RATIO = Metric("redis.miss_ratio", "gauge", "fraction", "Misses among the same lookups.", REDIS)
REDIS_HIT_RATIO_LIFETIME = Metric(
    "redis.hit_ratio_lifetime", "gauge", "fraction", "Hits among all lookups since the server began to count.", REDIS
)
REDIS_EVICTED = Metric("redis.keys_evicted", "count", "eviction", "Keys that went for want of memory.", REDIS)
REDIS_EXPIRED = Metric("redis.keys_expired", "count", "key", "Keys whose time was over.", REDIS)
REDIS_KEYS = Metric("redis.keys", "gauge", "key", "Keys there are.", (*REDIS, REDIS_DB))
REDIS_MEMORY = Metric("redis.memory_used", "gauge", "byte", "Memory in use.", REDIS)
REDIS_MEMORY_MAX = Metric("redis.memory_max", "gauge", "byte", "Memory allowed; not sent where it is unlimited.", REDIS)
REDIS_CLIENTS = Metric("redis.clients", "gauge", "connection", "Connections of clients.", REDIS)
REDIS_BLOCKED_CLIENTS = Metric("redis.clients_blocked", "gauge", "connection", "Clients in a blocking call.", REDIS)
REDIS_OPS = Metric("redis.ops_per_second", "gauge", "command", "Commands a second, as the server reckons.", REDIS)
REDIS_PING = Metric("redis.ping_duration", "distribution", "second", "Time a PING took.", REDIS)
EXPORTER_RUNS = Metric("exporter.runs", "count", "run", "Readings of a Redis server.", (READING,))
EXPORTER_DURATION = Metric("exporter.duration", "distribution", "second", "Time a reading took.", (READING,))
EXPORTER_RESETS = Metric(
    "exporter.baseline_resets", "count", "occurrence", "Readings that only began a new baseline.", REDIS
)

# Caches

CACHE_HITS = Metric("cache.hits", "count", "hit", "Keys that a cache was asked for and had.", (CACHE, PREFIX))
CACHE_MISSES = Metric("cache.misses", "count", "miss", "Keys that it was asked for and had not.", (CACHE, PREFIX))

# Tasks

TASKS = Metric("celery.tasks", "count", "task", "Tasks that ended, or were put off.", (TASK, QUEUE, STATE))
TASK_DURATION = Metric("celery.task_duration", "distribution", "second", "Time a task ran.", (TASK, QUEUE, STATE))
TASK_WAIT = Metric("celery.task_wait", "distribution", "second", "From sent to started.", (TASK, QUEUE))
QUEUE_LENGTH = Metric("celery.queue_length", "gauge", "task", "Messages that wait in the broker.", (QUEUE,))
UNACKED = Metric(
    "celery.unacked", "gauge", "task", "Messages that workers took from a Redis broker and did not confirm yet."
)
QUEUE_READINGS = Metric("celery.queue_readings", "count", "run", "Readings of the queues' lengths.", (DONE,))
BEAT_LAG = Metric("celery.beat_lag", "distribution", "second", "From when a task was due to its start.", (TASK,))

# This app itself

EMIT_DROPPED = Metric("emit.dropped", "count", "item", "Numbers not sent.", (WRONG,))

# States

REDIS_CONNECTS = ServiceCheck(
    "redis.can_connect", "A Redis server answers; a warning if late.", (REDIS_HOST, REDIS_PORT)
)
DATABASE_CONNECTS = ServiceCheck("database.can_connect", "The database answers; a warning if late.")
BROKER_CONNECTS = ServiceCheck("broker.can_connect", "The broker answers; a warning if late.")
CELERY_WORKS = ServiceCheck("celery.can_work", "A task that Beat sent was run by a worker.")

# What explains a change in the numbers

DECISION = Event("decision", "Staff blocked, throttled, unblocked or allowed a network, or took that back.", (ACTION,))
GATE_SWITCHED = Event("gate_switched", "Staff switched the gate.", (GATE,))
RULES_CHANGED = Event("rules_changed", "Rules or their thresholds are not those of before.")
BASELINE_RESET = Event("baseline_reset", "A Redis server began its counters anew.", REDIS)

_entries = list(globals().values())
ALL: tuple[Metric, ...] = tuple(entry for entry in _entries if isinstance(entry, Metric))
CHECKS: tuple[ServiceCheck, ...] = tuple(entry for entry in _entries if isinstance(entry, ServiceCheck))
EVENTS: tuple[Event, ...] = tuple(entry for entry in _entries if isinstance(entry, Event))
TAGS: tuple[Tag, ...] = tuple(entry for entry in _entries if isinstance(entry, Tag))
