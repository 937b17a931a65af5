"""The dashboard: a group for each thing somebody looks after, a row for each question."""

from __future__ import annotations

from metrics import catalogue as c
from metrics import conf
from metrics.datadog.query import ANSWERS, average, highest, most, name, per_second, percentile, spread, summed, total
from metrics.datadog.slos import PROMPT_S
from metrics.datadog.widgets import (
    Colours,
    Json,
    Shown,
    check_status,
    events,
    fullness,
    group,
    heatmap,
    monitors_list,
    note,
    number,
    plain,
    row,
    share,
    share_of_both,
    slo_list,
    stacked,
    timeseries,
    toplist,
)
from metrics.entry import Metric

HOUSE = "$env,$service"
ROUTED = "$env,$service,$route"
SERVER = "$env,$service,$redis_host"
REDIS = ("redis_host", "redis_port")
# As Datadog's own Redis dashboard has them.
CACHE_MARKERS = ((100, "ideal"), (75, "alerts"))
# A server that keeps limits finds one of the two keys that a request looks up: docs/redis-numbers.md.
REDIS_COLOURS = Colours(yellow=35, red=25, low=True)
REDIS_MARKERS = ((50, "usual where limits are kept"), (25, "alerts"))


def overview() -> Json:
    """Returns the dashboard, without its mark."""
    groups = (
        _summary(),
        _requests(),
        _redis(),
        _security(),
        _gate(),
        _review(),
        _record(),
        _detection(),
        _background(),
        _own(),
    )
    return {
        "title": "Sentinel: the guarded API",
        "description": "Who calls the API, whom its guard refuses, and whether all of it works.",
        "layout_type": "ordered",
        "reflow_type": "fixed",
        "template_variables": [
            _variable("env", "env"),
            _variable("service", "service"),
            _variable("route", "route"),
            _variable("redis_host", "redis_host"),
        ],
        "widgets": stacked(groups),
    }


def _variable(label: str, tag: str) -> Json:
    return {"name": label, "prefix": tag, "defaults": ["*"], "available_values": []}


def _summary() -> Json:
    ours = f"namespace:{conf.current().namespace}"
    return group(
        "Summary",
        row(
            number("Requests a second", plain("requests", per_second(c.REQUESTS, ROUTED))),
            number("Server errors", _failed(), Colours(yellow=1, red=2)),
            number(
                "p95 until the answer starts",
                plain("p95", percentile(95, c.REQUEST_DURATION, ROUTED)),
                Colours(yellow=PROMPT_S, red=1),
                over="percentile",
            ),
            number("Redis hit ratio", _found(), REDIS_COLOURS, over="sum"),
            number("Cases open", plain("cases", summed(c.CASES, HOUSE, status="open")), over="last"),
            number(
                "Oldest case to review",
                plain("age", highest(c.OLDEST_CASE, HOUSE)),
                Colours(yellow=28_800, red=86_400),
                over="last",
            ),
            height=2,
        ),
        row(monitors_list("Monitors", f'tag:"{ours}"'), slo_list("Objectives", ours), height=5),
        row(_happenings("What was decided and switched"), height=3),
    )


def _requests() -> Json:
    by_class = per_second(c.REQUESTS, ROUTED, ("status_class",))
    duration = [plain(f"p{p}", percentile(p, c.REQUEST_DURATION, ROUTED)) for p in (50, 95, 99)]
    return group(
        "Requests",
        row(
            timeseries("Requests a second, by status", plain("requests", by_class), display="bars"),
            timeseries("Time until the answer starts", *duration, markers=((PROMPT_S, "objective"),)),
            timeseries("Server errors, by route", _failed(("route",)), markers=((2, "alerts"),)),
        ),
        row(
            toplist("Slowest routes (p95)", _slowest(), over="percentile"),
            toplist("Busiest routes", plain("requests", total(c.REQUESTS, ROUTED, ("route",)))),
            toplist("Most bytes sent (p95)", _heaviest(), over="percentile"),
            heatmap("Durations", spread(c.REQUEST_DURATION, ROUTED)),
        ),
        row(
            timeseries(
                "Exceptions that left a view",
                plain("exceptions", total(c.REQUEST_EXCEPTIONS, ROUTED, ("exception",))),
                display="bars",
            ),
            timeseries(
                "Clients that left before the end",
                plain("left", total(c.ABORTED, ROUTED, ("route",))),
                display="bars",
            ),
            timeseries(
                "Errors in the log, by logger",
                plain("errors", total(c.ERRORS, HOUSE, ("logger", "level"))),
                display="bars",
            ),
        ),
    )


def _redis() -> Json:
    hits, misses = c.REDIS_HITS, c.REDIS_MISSES
    return group(
        "Redis and caches",
        row(
            timeseries("Hit ratio, from counts", _found(REDIS), markers=REDIS_MARKERS),
            timeseries(
                "Lookups a second",
                plain("found", per_second(hits, SERVER)),
                plain("missing", per_second(misses, SERVER)),
                display="area",
            ),
            timeseries("Cache hit ratio, by cache and prefix", _cached(), markers=CACHE_MARKERS),
        ),
        row(
            timeseries("Memory in use", _memory(), markers=((90, "alerts"), (70, "warns"))),
            timeseries(
                "Keys that went",
                plain("evicted", total(c.REDIS_EVICTED, SERVER, REDIS)),
                plain("expired", total(c.REDIS_EXPIRED, SERVER, REDIS)),
                display="bars",
            ),
            timeseries("Keys there are", plain("keys", average(c.REDIS_KEYS, SERVER, (*REDIS, "redis_db")))),
        ),
        row(
            timeseries("PING, p95", plain("ping", percentile(95, c.REDIS_PING, SERVER, REDIS))),
            timeseries(
                "Clients",
                plain("connected", average(c.REDIS_CLIENTS, SERVER, REDIS)),
                plain("in a blocking call", average(c.REDIS_BLOCKED_CLIENTS, SERVER, REDIS)),
            ),
            timeseries("Commands a second", plain("commands", average(c.REDIS_OPS, SERVER, REDIS))),
            check_status("Redis answers", name(c.REDIS_CONNECTS), REDIS),
        ),
        row(
            timeseries(
                "The ratios as the exporter reckons them, by server",
                plain("hit ratio", average(c.REDIS_HIT_RATIO, SERVER, REDIS)),
                plain("miss ratio", average(c.REDIS_MISS_RATIO, SERVER, REDIS)),
                plain("hit ratio since its start", average(c.REDIS_HIT_RATIO_LIFETIME, SERVER, REDIS)),
            ),
            timeseries(
                "Readings of Redis, by outcome",
                plain("readings", total(c.EXPORTER_RUNS, HOUSE, ("outcome",))),
                plain("new baselines", total(c.EXPORTER_RESETS, SERVER, REDIS)),
                display="bars",
            ),
            timeseries("Time a reading takes", plain("longest", most(c.EXPORTER_DURATION, HOUSE, ("outcome",)))),
        ),
    )


def _security() -> Json:
    return group(
        "Security",
        row(
            timeseries("Networks flagged, by rule", plain("flags", total(c.FLAGGED, HOUSE, ("rule",))), display="bars"),
            timeseries(
                "Requests refused by a decision",
                plain("refused", total(c.BLOCKED, ROUTED, ("reason",))),
                display="bars",
            ),
            timeseries(
                "Share of requests refused by a decision",
                share("refused", total(c.BLOCKED, ROUTED), total(c.REQUESTS, ROUTED)),
                markers=((10, "alerts"),),
            ),
        ),
        row(
            timeseries(
                "Attempts to sign in, by outcome",
                plain("attempts", total(c.AUTH_ATTEMPTS, HOUSE, ("outcome",))),
                display="bars",
            ),
            timeseries(
                "Share of attempts that fail",
                share("failed", total(c.AUTH_ATTEMPTS, HOUSE, outcome="failure"), total(c.AUTH_ATTEMPTS, HOUSE)),
                markers=((60, "alerts"), (40, "warns")),
            ),
            toplist("Flags, by severity", plain("flags", total(c.FLAGGED, HOUSE, ("severity",)))),
        ),
    )


def _gate() -> Json:
    return group(
        "Limits and the gate",
        row(
            timeseries(
                "Requests over a limit, by policy",
                plain("refused", total(c.THROTTLED, ROUTED, ("policy",))),
                display="bars",
            ),
            timeseries(
                "What policies in shadow would refuse",
                plain("would refuse", total(c.WOULD_THROTTLE, ROUTED, ("policy",))),
                display="bars",
            ),
            toplist("Routes where limits are met", plain("refused", total(c.THROTTLED, ROUTED, ("route",)))),
        ),
        row(
            timeseries(
                "Requests decided without Redis, by answer",
                plain("requests", total(c.STORE_MISSING, HOUSE, ("answer",))),
                display="bars",
            ),
            timeseries(
                "Redis lost and found, the gate switched",
                plain("store", total(c.STORE_MODE_CHANGES, HOUSE, ("mode",))),
                plain("gate", total(c.GATE_MODE_CHANGES, HOUSE, ("mode",))),
                display="bars",
            ),
            number("Sensitive routes without limit", plain("routes", highest(c.ROUTES_UNGUARDED, HOUSE)), over="last"),
            number("Policies that guard nothing", plain("policies", highest(c.POLICIES_DEAD, HOUSE)), over="last"),
        ),
    )


def _review() -> Json:
    return group(
        "Review",
        row(
            timeseries("Cases, by status", plain("cases", summed(c.CASES, HOUSE, ("status",))), display="area"),
            timeseries("Oldest case to review", plain("age", highest(c.OLDEST_CASE, HOUSE, ("severity",)))),
            timeseries(
                "From filing to verdict (p50)",
                plain("duration", percentile(50, c.REVIEW_DURATION, HOUSE, ("severity",))),
            ),
        ),
        row(
            timeseries("What people did", plain("acts", total(c.ACTIONS, HOUSE, ("action",))), display="bars"),
            timeseries("What they took back", plain("undone", total(c.UNDONE, HOUSE, ("action",))), display="bars"),
            toplist("Findings overruled, by rule", plain("overruled", total(c.RELEASES, HOUSE, ("rule",)))),
            timeseries(
                "Messages of grave cases, by outcome",
                plain("messages", total(c.WEBHOOKS, HOUSE, ("outcome",))),
                display="bars",
            ),
        ),
    )


def _record() -> Json:
    return group(
        "The request log",
        row(
            timeseries("Events stored a second", plain("events", per_second(c.EVENTS_STORED, HOUSE))),
            timeseries(
                "Events lost, by reason",
                plain("events", total(c.EVENTS_DROPPED, HOUSE, ("reason",))),
                display="bars",
            ),
            timeseries("Events that wait in a process", plain("most", most(c.BUFFER_LENGTH, HOUSE))),
        ),
        row(
            timeseries("Batches put on disk", plain("batches", total(c.BATCHES_SPOOLED, HOUSE)), display="bars"),
            timeseries("Batches that wait on a disk", plain("most", most(c.SPOOL_BATCHES, HOUSE))),
            timeseries("Their size", plain("most", most(c.SPOOL_BYTES, HOUSE))),
            timeseries(
                "Removed by retention",
                plain("removed", total(c.RETENTION_REMOVED, HOUSE, ("kind",))),
                display="bars",
            ),
        ),
    )


def _detection() -> Json:
    return group(
        "Detection",
        row(
            timeseries("From crossing a threshold to the case (p95)", _by_rule("case", c.CROSSING_TO_FLAG)),
            timeseries("From crossing a threshold to the block (p95)", _by_rule("block", c.CROSSING_TO_BLOCK)),
            timeseries("From the first offence to the case (p95)", _by_rule("case", c.OFFENCE_TO_FLAG)),
        ),
        row(
            timeseries("Oldest batch not examined", plain("age", highest(c.UNEXAMINED_AGE, HOUSE))),
            timeseries("How far behind the sweep is", plain("age", highest(c.SWEEP_AGE, HOUSE))),
            timeseries(
                "Runs, by detector and outcome",
                plain("runs", total(c.DETECTOR_RUNS, HOUSE, ("detector", "outcome"))),
                display="bars",
            ),
            timeseries("Longest run", plain("duration", most(c.DETECTOR_DURATION, HOUSE, ("detector",)))),
        ),
        row(
            timeseries(
                "Requests looked at a second", plain("requests", per_second(c.ROWS_SCANNED, HOUSE, ("detector",)))
            )
        ),
    )


def _background() -> Json:
    return group(
        "Background",
        row(
            timeseries("Tasks, by how they ended", plain("tasks", total(c.TASKS, HOUSE, ("state",))), display="bars"),
            timeseries("Time tasks take (p95)", plain("p95", percentile(95, c.TASK_DURATION, HOUSE, ("task",)))),
            timeseries("Time tasks wait (p95)", plain("p95", percentile(95, c.TASK_WAIT, HOUSE, ("queue",)))),
        ),
        row(
            timeseries(
                "Queues, and what workers hold",
                plain("messages", highest(c.QUEUE_LENGTH, HOUSE, ("queue",))),
                plain("taken, not confirmed", highest(c.UNACKED, HOUSE)),
            ),
            timeseries("How late tasks of Beat start", plain("longest", most(c.BEAT_LAG, HOUSE, ("task",)))),
            toplist("Tasks that fail", plain("failures", total(c.TASKS, HOUSE, ("task",), state="failure"))),
            timeseries(
                "Readings of the queues, by outcome",
                plain("readings", total(c.QUEUE_READINGS, HOUSE, ("outcome",))),
                display="bars",
            ),
        ),
        row(
            check_status("A worker runs Beat's tasks", name(c.CELERY_WORKS)),
            check_status("The broker answers", name(c.BROKER_CONNECTS)),
            check_status("The database answers", name(c.DATABASE_CONNECTS)),
            height=2,
        ),
    )


def _own() -> Json:
    return group(
        "These numbers themselves",
        row(
            timeseries(
                "Numbers that were not sent, by reason",
                plain("numbers", total(c.EMIT_DROPPED, HOUSE, ("reason",))),
                display="bars",
            ),
            note(
                "`manage.py datadog_sync` writes this dashboard: what is changed by hand is lost at its next run.\n\n"
                "Graphs of percentiles stay empty until percentiles are enabled for their metrics. The same command"
                " does it, once a metric has been seen. Ratios are of sums, never averages of ratios."
            ),
        ),
    )


def _failed(by: tuple[str, ...] = ()) -> Shown:
    return share(
        "5xx",
        total(c.REQUESTS, ROUTED, by, route=ANSWERS, status_class="5xx"),
        total(c.REQUESTS, ROUTED, by, route=ANSWERS),
    )


def _found(by: tuple[str, ...] = ()) -> Shown:
    return share_of_both("found", total(c.REDIS_HITS, SERVER, by), total(c.REDIS_MISSES, SERVER, by))


def _cached() -> Shown:
    by = ("cache", "prefix")
    return share_of_both("found", total(c.CACHE_HITS, HOUSE, by), total(c.CACHE_MISSES, HOUSE, by))


def _memory() -> Shown:
    return fullness("used", highest(c.REDIS_MEMORY, SERVER, REDIS), highest(c.REDIS_MEMORY_MAX, SERVER, REDIS))


def _slowest() -> Shown:
    return plain("p95", percentile(95, c.REQUEST_DURATION, ROUTED, ("route",)))


def _heaviest() -> Shown:
    return plain("p95", percentile(95, c.RESPONSE_SIZE, ROUTED, ("route",)))


def _by_rule(alias: str, metric: Metric) -> Shown:
    return plain(alias, percentile(95, metric, HOUSE, ("rule",)))


def _happenings(title: str) -> Json:
    told = " OR ".join(event.name for event in c.EVENTS)
    return events(title, f"source:{conf.current().namespace} event:({told}) $env")
