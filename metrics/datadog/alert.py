"""A monitor, and its JSON. What is told, whom, and how missing data is read are the same for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from metrics import conf
from metrics.datadog.query import name
from metrics.datadog.widgets import Json
from metrics.entry import ServiceCheck

# `resolve`: where nothing is counted, nothing is wrong. `show_and_notify_no_data`: silence is what is wrong.
Missing = Literal["resolve", "show_and_notify_no_data"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """`query` ends before its threshold, which is written once, here: as `critical`."""

    key: str
    title: str
    says: str
    query: str
    critical: float
    warning: float | None = None
    recovery: float | None = None
    compare: Literal[">", "<", ">="] = ">"
    priority: int = 3
    missing: Missing = "resolve"
    # A part of these composites: tells nobody by itself, and their pages are its page.
    part_of: tuple[str, ...] = ()
    # Of an anomaly: how long it must last.
    window: str = ""

    def document(self) -> Json:
        thresholds = {"critical": self.critical, "warning": self.warning, "critical_recovery": self.recovery}
        options: Json = {
            "thresholds": {level: limit for level, limit in thresholds.items() if limit is not None},
            "on_missing_data": self.missing,
            # Counts are sparse: with a full window asked for, most evaluations would be skipped.
            "require_full_window": False,
        }
        if self.window:
            options["threshold_windows"] = {"trigger_window": self.window, "recovery_window": self.window}
        told = quiet(self.says, self.part_of) if self.part_of else spoken(self.key, f"{self.says}\n\n{_VALUE}")
        query = f"{self.query} {self.compare} {_number(self.critical)}"
        return _document(self.key, self.title, "query alert", query, told, self.priority, options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """Alerts where all its parts do: a ratio, and enough of what it is a ratio of."""

    key: str
    title: str
    says: str
    parts: tuple[str, ...]
    priority: int = 3

    def document(self) -> Json:
        """Returns JSON whose query names the parts by key: their ids are known only where they exist."""
        query = " && ".join(f"{{{part}}}" for part in self.parts)
        return _document(self.key, self.title, "composite", query, spoken(self.key, self.says), self.priority, {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """Alerts where a service check failed `times` times in a row: once a minute, so that many minutes."""

    key: str
    title: str
    says: str
    check: ServiceCheck
    by: tuple[str, ...] = ()
    times: int = 3
    priority: int = 1
    silent_for_min: int | None = None

    def document(self) -> Json:
        scope = conf.current().monitor_scope
        over = ",".join(f'"{tag}"' for tag in scope.split(","))
        by = ",".join(f'"{tag}"' for tag in self.by) or '"*"'
        query = f'"{name(self.check)}".over({over}).by({by}).last({self.times + 1}).count_by_status()'
        options: Json = {"thresholds": {"critical": self.times, "warning": self.times, "ok": 1}}
        if self.silent_for_min is not None:
            options |= {"notify_no_data": True, "no_data_timeframe": self.silent_for_min}
        return _document(
            self.key, self.title, "service check", query, spoken(self.key, self.says), self.priority, options
        )


Alert = Monitor | Composite | Down
_VALUE = "It is {{value}}; the limit is {{threshold}}."


def marks(key: str) -> list[str]:
    """Returns the tags that make a monitor or an SLO ours: of this code, this installation, and this one."""
    return [f"key:{key}", "managed-by:code", f"namespace:{conf.current().namespace}"]


def runbook(key: str) -> str:
    """Returns where the monitor's page is."""
    url = conf.current().runbooks_url
    return url.replace("{key}", key) if url else f"docs/runbooks/{key}.md"


def spoken(key: str, says: str) -> str:
    """Returns the message of a monitor that tells somebody."""
    handles = " ".join(conf.current().notify)
    return "\n\n".join(part for part in (says, f"Runbook: {runbook(key)}", handles) if part)


def quiet(says: str, part_of: tuple[str, ...]) -> str:
    """Returns the message of a part, which nobody is sent."""
    return f"{says}\n\nA part of {', '.join(part_of)}: it tells nobody by itself."


def resolved(query: str, ids: Mapping[str, object]) -> str:
    """Returns a composite's query with ids for keys; a part without an id keeps its key."""
    for key, found in ids.items():
        query = query.replace(f"{{{key}}}", str(found))
    return query


def _document(key: str, title: str, kind: str, query: str, message: str, priority: int, options: Json) -> Json:
    return {
        "name": f"[Sentinel] {title}",
        "type": kind,
        "query": query,
        "message": message,
        "tags": marks(key),
        "priority": priority,
        "options": {"include_tags": True, "notify_audit": False, **options},
    }


def _number(value: float) -> str:
    return f"{value:.12g}"
