"""Every monitor, with the reason of its limits. After a change: `make docs`, and `manage.py datadog_sync`."""

from __future__ import annotations

from metrics import catalogue as c
from metrics import conf
from metrics.datadog.alert import Alert, Composite, Down, Monitor
from metrics.datadog.query import ANSWERS, highest, most, percentile, total

REDIS = ("redis_host", "redis_port")
CACHE = ("cache",)


def every() -> tuple[Alert, ...]:
    """Returns all monitors, composites after their parts."""
    scope = conf.current().monitor_scope
    parts = (*_requests(scope), *_redis(scope), *_security(scope), *_record(scope), *_tasks(scope), *_own(scope))
    return tuple(sorted(parts, key=lambda alert: isinstance(alert, Composite)))


def _requests(scope: str) -> tuple[Alert, ...]:
    requests, answers = total(c.REQUESTS, scope), total(c.REQUESTS, scope, route=ANSWERS)
    return (
        Monitor(
            key="enough-requests",
            title="Enough requests to judge by",
            says="More than 100 requests in five minutes.",
            query=f"sum(last_5m):{requests}",
            # Below it a single failed request is one percent or more.
            critical=100,
            priority=5,
            part_of=("api-5xx", "api-latency", "block-surge"),
        ),
        Monitor(
            key="api-5xx-ratio",
            title="Share of answers that are server errors",
            says="More than 2 % of the answers of five minutes are 5xx.",
            query=f"sum(last_5m):{total(c.REQUESTS, scope, route=ANSWERS, status_class='5xx')} / {answers}",
            # Twenty times what the SLO allows: its month is spent in a day and a half.
            critical=0.02,
            warning=0.01,
            priority=5,
            part_of=("api-5xx",),
        ),
        Composite(
            key="api-5xx",
            title="The API answers with errors",
            says="More than 2 % of at least 100 requests in five minutes were answered with a 5xx.",
            parts=("api-5xx-ratio", "enough-requests"),
            priority=1,
        ),
        Monitor(
            key="api-latency-p95",
            title="Time until the slowest twentieth is answered",
            says="The 95th percentile of five minutes is over a second.",
            query=f"percentile(last_5m):{percentile(95, c.REQUEST_DURATION, scope)}",
            # A second is where a buyer notices; half of one is the SLO's limit.
            critical=1,
            warning=0.5,
            priority=5,
            part_of=("api-latency",),
        ),
        Composite(
            key="api-latency",
            title="The API is slow",
            says="One request in twenty waited more than a second for its answer.",
            parts=("api-latency-p95", "enough-requests"),
            priority=2,
        ),
        Monitor(
            key="api-traffic-drop",
            title="Requests stay away",
            says="Four fifths fewer requests than an hour ago, or none at all: even the health checks are counted.",
            query=f"pct_change(sum(last_15m),last_1h):{requests}",
            # The fall into a night is slower than this; health checks keep a quiet shop from falling so far.
            critical=-80,
            compare="<",
            priority=1,
            missing="show_and_notify_no_data",
        ),
    )


def _redis(scope: str) -> tuple[Alert, ...]:
    hits, misses = total(c.REDIS_HITS, scope, REDIS), total(c.REDIS_MISSES, scope, REDIS)
    found, missing = total(c.CACHE_HITS, scope, CACHE), total(c.CACHE_MISSES, scope, CACHE)
    return (
        Monitor(
            key="enough-lookups",
            title="Enough Redis lookups to judge by",
            says="More than 1,000 lookups in fifteen minutes.",
            query=f"sum(last_15m):{hits} + {misses}",
            # About one a second: a ratio of three lookups says nothing.
            critical=1000,
            priority=5,
            part_of=("redis-hit-ratio",),
        ),
        Monitor(
            key="redis-hit-ratio-low",
            title="Share of Redis lookups that find their key",
            says="Fewer than 25 % of the lookups of fifteen minutes found their key.",
            query=f"sum(last_15m):{hits} / ( {hits} + {misses} )",
            # Half is right where limits are kept: of two lookups for a request one finds its key.
            critical=0.25,
            warning=0.35,
            recovery=0.3,
            compare="<",
            priority=5,
            part_of=("redis-hit-ratio",),
        ),
        Composite(
            key="redis-hit-ratio",
            title="Redis finds too few keys",
            says="Fewer than 25 % of at least 1,000 lookups in fifteen minutes found their key.",
            parts=("redis-hit-ratio-low", "enough-lookups"),
        ),
        Monitor(
            key="enough-cache-lookups",
            title="Enough cache lookups to judge by",
            says="More than 1,000 lookups in fifteen minutes.",
            query=f"sum(last_15m):{found} + {missing}",
            # As for Redis.
            critical=1000,
            priority=5,
            part_of=("cache-hit-ratio",),
        ),
        Monitor(
            key="cache-hit-ratio-low",
            title="Share of cache lookups that find their key",
            says="Fewer than 75 % of the lookups of fifteen minutes found their key.",
            query=f"sum(last_15m):{found} / ( {found} + {missing} )",
            # The limits of Datadog's own Redis dashboard: below 90 % yellow, below 75 % red.
            critical=0.75,
            warning=0.9,
            recovery=0.8,
            compare="<",
            priority=5,
            part_of=("cache-hit-ratio",),
        ),
        Composite(
            key="cache-hit-ratio",
            title="A cache finds too few keys",
            says="Fewer than 75 % of at least 1,000 lookups in fifteen minutes found their key.",
            parts=("cache-hit-ratio-low", "enough-cache-lookups"),
        ),
        Monitor(
            key="redis-memory",
            title="Redis is nearly full",
            says="More than 90 % of the memory that the server may use, in use.",
            query=f"avg(last_5m):100 * {highest(c.REDIS_MEMORY, scope, REDIS)} / "
            f"{highest(c.REDIS_MEMORY_MAX, scope, REDIS)}",
            # As in Datadog's own Redis monitor.
            critical=90,
            warning=70,
            priority=2,
        ),
        Monitor(
            key="redis-evictions",
            title="Redis drops keys for want of memory",
            says="More than 100 keys in ten minutes went before their time: counters of limits among them, perhaps.",
            query=f"sum(last_10m):{total(c.REDIS_EVICTED, scope, REDIS)}",
            critical=100,
            warning=0,
            priority=2,
        ),
        Down(
            key="redis-down",
            title="Redis does not answer",
            says="A Redis server did not answer for three minutes. Limits are answered as each policy says for then.",
            check=c.REDIS_CONNECTS,
            by=REDIS,
        ),
        Monitor(
            key="exporter-silent",
            title="No numbers of Redis arrive",
            says="No reading of a Redis server succeeded for ten minutes: what is shown of Redis is old.",
            query=f"sum(last_10m):{total(c.EXPORTER_RUNS, scope, outcome='ok')}",
            # Every 30 s by the schedule that is shipped: 20 are due in this time.
            critical=1,
            compare="<",
            missing="show_and_notify_no_data",
        ),
    )


def _security(scope: str) -> tuple[Alert, ...]:
    flagged, attempts = total(c.FLAGGED, scope), total(c.AUTH_ATTEMPTS, scope)
    return (
        Monitor(
            key="flag-burst",
            title="Far more networks are flagged than usual",
            says="An attack by many, or a rule that meets the harmless.",
            query=f"avg(last_4h):anomalies({flagged}, 'agile', 3, direction='above', interval=60, "
            "alert_window='last_15m', count_default_zero='true', seasonality='hourly')",
            # All of the last quarter of an hour out of the band of three deviations.
            critical=1,
            recovery=0,
            compare=">=",
            priority=2,
            window="last_15m",
        ),
        Monitor(
            key="enough-logins",
            title="Enough attempts to sign in to judge by",
            says="More than 50 attempts in fifteen minutes.",
            query=f"sum(last_15m):{attempts}",
            critical=50,
            priority=5,
            part_of=("login-failures",),
        ),
        Monitor(
            key="login-failure-ratio",
            title="Share of attempts to sign in that fail",
            says="More than 60 % of the attempts of fifteen minutes failed.",
            query=f"sum(last_15m):{total(c.AUTH_ATTEMPTS, scope, outcome='failure')} / {attempts}",
            # People mistype about one in ten; two in five is somebody guessing, or a broken sign-in.
            critical=0.6,
            warning=0.4,
            priority=5,
            part_of=("login-failures",),
        ),
        Composite(
            key="login-failures",
            title="Most attempts to sign in fail",
            says="More than 60 % of at least 50 attempts in fifteen minutes failed: guessing, or a broken sign-in.",
            parts=("login-failure-ratio", "enough-logins"),
            priority=2,
        ),
        Monitor(
            key="review-backlog",
            title="A case waits for review",
            says="A case has waited longer than a day (in seconds, below).",
            query=f"max(last_15m):{highest(c.OLDEST_CASE, scope)}",
            # A day, and a working day.
            critical=86_400,
            warning=28_800,
        ),
        Monitor(
            key="block-ratio",
            title="Share of requests that a decision refuses",
            says="More than 10 % of the requests of fifteen minutes were refused by a decision.",
            query=f"sum(last_15m):{total(c.BLOCKED, scope)} / {total(c.REQUESTS, scope)}",
            critical=0.1,
            priority=5,
            part_of=("block-surge",),
        ),
        Composite(
            key="block-surge",
            title="Many requests are refused",
            says="A decision refuses more than one request in ten: an attack that is held, or customers locked out.",
            parts=("block-ratio", "enough-requests"),
            priority=2,
        ),
        Monitor(
            key="gate-not-enforcing",
            title="The gate was switched off or to shadow",
            says="Nobody is refused until it is back. It comes back by itself where a time was given.",
            query=f"sum(last_10m):{total(c.GATE_MODE_CHANGES, scope, mode='!enforce')}",
            critical=0,
            priority=2,
        ),
        Monitor(
            key="limiter-without-store",
            title="Requests are decided without Redis",
            says="More than 100 requests in five minutes were decided without the store of limits.",
            query=f"sum(last_5m):{total(c.STORE_MISSING, scope)}",
            # A server that restarts costs a few requests in each process; a hundred is one that stays away.
            critical=100,
            warning=10,
            priority=1,
        ),
        Monitor(
            key="routes-unguarded",
            title="A sensitive route has no limit",
            says="A login, checkout or another sensitive route is covered by no policy.",
            query=f"max(last_2h):{highest(c.ROUTES_UNGUARDED, scope)}",
            # Told once an hour, by the sweep.
            critical=0,
        ),
        Monitor(
            key="webhook-given-up",
            title="A message of a grave case was not delivered",
            says="The webhook's receiver was tried for a quarter of an hour and given up: it was not told of a case.",
            query=f"sum(last_15m):{total(c.WEBHOOKS, scope, outcome='given_up')}",
            critical=0,
            priority=2,
        ),
    )


def _record(scope: str) -> tuple[Alert, ...]:
    return (
        Monitor(
            key="record-drops",
            title="Requests are missing from the log",
            says="Request events were lost: what those requests show is never examined.",
            query=f"sum(last_10m):{total(c.EVENTS_DROPPED, scope)}",
            critical=0,
            priority=2,
        ),
        Monitor(
            key="record-spooling",
            title="Request events wait on disk",
            says="The broker takes nothing: batches wait in the spool directory of a host.",
            query=f"max(last_10m):{most(c.SPOOL_BATCHES, scope)}",
            # Four a second for each busy process: 1,000 are some four minutes of one.
            critical=1000,
            warning=100,
        ),
        Monitor(
            key="unexamined-batches",
            title="Stored requests are not examined",
            says="A stored batch has waited longer than ten minutes (in seconds, below): nobody is found meanwhile.",
            query=f"max(last_10m):{highest(c.UNEXAMINED_AGE, scope)}",
            # Two seconds are normal.
            critical=600,
            warning=120,
            priority=2,
        ),
        Monitor(
            key="sweep-late",
            title="The hourly sweep is behind",
            says="What only an hour shows (sprayed passwords, neighbours) has not been looked for (in seconds, below).",
            query=f"max(last_30m):{highest(c.SWEEP_AGE, scope)}",
            # Two hours and a little just before a sweep that is in time; one missed is three.
            critical=10_800,
            warning=9_000,
        ),
        Monitor(
            key="detector-errors",
            title="A detector fails",
            says="A run of a detector ended with an exception.",
            query=f"sum(last_1h):{total(c.DETECTOR_RUNS, scope, ('detector',), outcome='error')}",
            critical=0,
        ),
    )


def _tasks(scope: str) -> tuple[Alert, ...]:
    return (
        Down(
            key="workers-down",
            title="No worker runs Beat's tasks",
            says="No task that Beat sent was run by a worker. The log fills a queue or the spool; nothing is examined.",
            check=c.CELERY_WORKS,
            # Nobody is left to say it, so silence is the sign.
            silent_for_min=10,
        ),
        Down(
            key="broker-down",
            title="The broker does not answer",
            says="Celery's broker did not answer for three minutes. Request events wait in the spool directories.",
            check=c.BROKER_CONNECTS,
            priority=2,
        ),
        Down(
            key="database-down",
            title="The database does not answer",
            says="The database did not answer for three minutes.",
            check=c.DATABASE_CONNECTS,
        ),
        Monitor(
            key="celery-queue",
            title="A queue grows",
            says="More than 1,000 messages wait in one queue of the broker.",
            query=f"max(last_10m):{highest(c.QUEUE_LENGTH, scope, ('queue',))}",
            # One process sends four batches a second: 1,000 are four minutes of one with no worker.
            critical=1000,
            warning=500,
        ),
        Monitor(
            key="beat-late",
            title="Tasks start later than they were due",
            says="A task of Beat's started more than five minutes late (in seconds, below).",
            query=f"max(last_15m):{most(c.BEAT_LAG, scope)}",
            critical=300,
            warning=60,
        ),
        Monitor(
            key="task-failures",
            title="A task fails again and again",
            says="More than five runs of one task failed in fifteen minutes.",
            query=f"sum(last_15m):{total(c.TASKS, scope, ('task',), state='failure')}",
            critical=5,
            warning=0,
        ),
    )


def _own(scope: str) -> tuple[Alert, ...]:
    return (
        Monitor(
            key="log-errors",
            title="The log holds many errors",
            says="More than 50 lines of level error or worse in fifteen minutes, of one logger.",
            query=f"sum(last_15m):{total(c.ERRORS, scope, ('logger',))}",
            critical=50,
            warning=10,
        ),
        Monitor(
            key="emit-dropped",
            title="Numbers do not reach Datadog",
            says="More than 100 numbers in fifteen minutes were not sent: other graphs show less than there was.",
            query=f"sum(last_15m):{total(c.EMIT_DROPPED, scope, ('reason',))}",
            critical=100,
            warning=0,
            priority=4,
        ),
    )
