"""docs/runbooks/README.md: the monitors and their pages."""

from __future__ import annotations

from metrics.datadog import monitors
from metrics.datadog.alert import Alert, Monitor
from pages.table import table

PAGE = """# Runbooks

A page for each monitor that tells somebody: what it means, what to look at, what to do. The monitors and their limits
are made from `metrics/datadog/monitors.py` ([how](../datadog.md)); P1 is for now, P5 for nobody.

Commands are written as they run where Sentinel does: `docker compose exec web python manage.py ...`, or on a machine
with `make run`, `make manage COMMAND="..."`. What does not answer just now, `/readyz` says to anybody and
`/admin/health/` to staff, with what to do ([health](../health.md)); how to read the numbers of tasks and queues is
told [there](../tasks-and-queues.md).

{table}
"""


def page() -> str:
    alerts = sorted(
        (each for each in monitors.every() if not _is_part(each)), key=lambda each: (each.priority, each.key)
    )
    rows = [(f"[{each.key}]({each.key}.md)", f"P{each.priority}", each.title, each.says) for each in alerts]
    return PAGE.format(table=table(("monitor", "priority", "title", "what its message says"), rows))


def _is_part(alert: Alert) -> bool:
    return isinstance(alert, Monitor) and bool(alert.part_of)
