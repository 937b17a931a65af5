"""All that is kept in Datadog, as the JSON that is sent, and as the files people review."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from metrics import catalogue, conf
from metrics.datadog import dashboards, monitors, slos
from metrics.datadog.query import name
from metrics.datadog.widgets import Json
from metrics.entry import Metric

Kind = Literal["monitor", "slo", "dashboard"]
KINDS: tuple[Kind, ...] = ("monitor", "slo", "dashboard")
FILES = Path(__file__).parent / "json"

# A DogStatsD count is stored as a rate over the Agent's ten seconds: to call it a count would multiply what is shown.
STORED_AS = {"count": "rate", "gauge": "gauge", "distribution": "distribution"}
FLUSH_S = 10
_PERCENTILE = re.compile(r"(?:p\d+|count\(v: [^)]*\)):([\w.]+)")


@dataclass(frozen=True, slots=True)
class Asset:
    kind: Kind
    key: str
    body: Json


def every() -> tuple[Asset, ...]:
    """Returns all assets in the order they are sent: composites after their parts, the dashboard last."""
    return (
        *(Asset("monitor", each.key, each.document()) for each in monitors.every()),
        *(Asset("slo", each.key, each.document()) for each in slos.every()),
        Asset("dashboard", "overview", _marked("overview", dashboards.overview())),
    )


def mark(key: str) -> str:
    """Returns the last line of a dashboard's description, by which it is found: a dashboard has no tags of ours."""
    return f"[managed-by:code namespace:{conf.current().namespace} key:{key}]"


def metadata(metric: Metric) -> Json:
    """Returns what Datadog shall know of a metric."""
    told: Json = {"type": STORED_AS[metric.type], "unit": metric.unit, "description": metric.meaning}
    if metric.type == "count":
        told["statsd_interval"] = FLUSH_S
    if metric.name.endswith("_per_second"):
        told["per_unit"] = "second"
    return told


def with_percentiles(assets: tuple[Asset, ...]) -> list[str]:
    """Returns the names of the metrics that any query asks percentiles or thresholds of. The others would only cost."""
    return sorted({found for asset in assets for query in queries(asset.body) for found in _PERCENTILE.findall(query)})


def queries(body: object) -> Iterator[str]:
    """Yields every metric query of a document."""
    if isinstance(body, list):
        for each in body:
            yield from queries(each)
    elif isinstance(body, dict):
        for key, value in body.items():
            if key in {"query", "numerator", "denominator"} and isinstance(value, str):
                yield value
            else:
                yield from queries(value)


def files() -> dict[Path, str]:
    """Returns each file with its text: what is sent where METRICS has no settings of its own."""
    assets = every()
    told = {name(metric): metadata(metric) for metric in catalogue.ALL}
    wide = {name: {"include_percentiles": True} for name in with_percentiles(assets)}
    return {
        **{FILES / f"{asset.kind}s" / f"{asset.key}.json": _text(asset.body) for asset in assets},
        FILES / "metadata.json": _text(told),
        FILES / "percentiles.json": _text(wide),
    }


def _marked(key: str, body: Json) -> Json:
    return {**body, "description": f"{body['description']}\n\n{mark(key)}"}


def _text(body: Json) -> str:
    return json.dumps(body, indent=2) + "\n"
