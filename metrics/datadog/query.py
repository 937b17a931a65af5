"""Metric queries as text. Each function takes a catalogue constant and refuses what would draw an empty graph: a tag
the metric has not, a value outside the tag's closed set, an aggregation that does not fit its type.

`where` narrows by tags: `status_class="5xx"`, or `status_class="!5xx"` for all the others. To add up what two filters
find is no substitute: where one finds nothing, Datadog's sum is nothing.
"""

from __future__ import annotations

from metrics import conf
from metrics.entry import Metric, ServiceCheck

# The client adds these to all metrics (DD_ENV, DD_SERVICE, DD_VERSION), the Agent its host.
EVERYWHERE = ("env", "service", "version", "host")

# `/readyz` answers 503 for what the shop can do without: that is no error of the API.
ANSWERS = "!readyz"


class BadQuery(ValueError):
    """The query does not fit the catalogue."""


def name(metric: Metric | ServiceCheck) -> str:
    """Returns the name as Datadog knows it."""
    return f"{conf.current().namespace}.{metric.name}"


def total(metric: Metric, scope: str, by: tuple[str, ...] = (), **where: str) -> str:
    """How often, summed over each step of the graph. Without `as_count` Datadog shows it per second."""
    return _text("sum", metric, "count", scope, by, where) + ".as_count()"


def per_second(metric: Metric, scope: str, by: tuple[str, ...] = (), **where: str) -> str:
    return _text("sum", metric, "count", scope, by, where) + ".as_rate()"


def average(metric: Metric, scope: str, by: tuple[str, ...] = (), **where: str) -> str:
    return _text("avg", metric, "gauge", scope, by, where)


def highest(metric: Metric, scope: str, by: tuple[str, ...] = (), **where: str) -> str:
    return _text("max", metric, "gauge", scope, by, where)


def summed(metric: Metric, scope: str, by: tuple[str, ...] = (), **where: str) -> str:
    """One gauge per tag set, added up: the length of all queues."""
    return _text("sum", metric, "gauge", scope, by, where)


def percentile(share: int, metric: Metric, scope: str, by: tuple[str, ...] = (), **where: str) -> str:
    """Over all samples of all hosts. Empty until percentiles are enabled for the metric (`percentiles.py`)."""
    return _text(f"p{share}", metric, "distribution", scope, by, where)


def most(metric: Metric, scope: str, by: tuple[str, ...] = (), **where: str) -> str:
    """The largest sample: needs no percentiles."""
    return _text("max", metric, "distribution", scope, by, where)


def samples(metric: Metric, limit: str, scope: str, **where: str) -> str:
    """How many samples were `<=0.5`, say. Needs percentiles enabled, as `percentile` does."""
    return _text(f"count(v: v{limit})", metric, "distribution", scope, (), where) + ".as_count()"


def spread(metric: Metric, scope: str, **where: str) -> str:
    """All samples, for a heat map: needs no percentiles."""
    return _text("histogram", metric, "distribution", scope, (), where)


def _text(space: str, metric: Metric, kind: str, scope: str, by: tuple[str, ...], where: dict[str, str]) -> str:
    if metric.type != kind:
        raise BadQuery(f"{metric.name} is a {metric.type}: {space} is for a {kind}")
    _known(metric, by, where)
    parts = [scope, *(_filter(key, value) for key, value in where.items())]
    inside = ",".join(part for part in parts if part != "*") or "*"
    groups = f" by {{{','.join(by)}}}" if by else ""
    return f"{space}:{name(metric)}{{{inside}}}{groups}"


def _filter(key: str, value: str) -> str:
    return f"!{key}:{value[1:]}" if value.startswith("!") else f"{key}:{value}"


def _known(metric: Metric, by: tuple[str, ...], where: dict[str, str]) -> None:
    tags = {tag.key: tag for tag in metric.tags}
    for key in (*by, *where):
        if key not in tags and key not in EVERYWHERE:
            raise BadQuery(f"{metric.name} has no tag {key}, only {', '.join(tags) or 'none'}")
    for key, value in where.items():
        closed = tags[key].values if key in tags else None
        if closed is not None and value.removeprefix("!") not in closed:
            raise BadQuery(f"{metric.name}: {key} is never {value.removeprefix('!')}, only {', '.join(sorted(closed))}")
