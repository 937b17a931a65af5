"""What is promised of the API, over thirty days."""

from __future__ import annotations

from dataclasses import dataclass

from metrics import catalogue as c
from metrics import conf
from metrics.datadog.alert import marks
from metrics.datadog.query import ANSWERS, samples, total
from metrics.datadog.widgets import Json

# Under which an answer counts as prompt: also the marker in the dashboard.
PROMPT_S = 0.5


@dataclass(frozen=True, slots=True)
class Objective:
    key: str
    title: str
    says: str
    good: str
    valid: str
    target: float
    warning: float

    def document(self) -> Json:
        threshold = {"timeframe": "30d", "target": self.target, "warning": self.warning}
        return {
            "name": f"[Sentinel] {self.title}",
            "type": "metric",
            "description": self.says,
            "query": {"numerator": self.good, "denominator": self.valid},
            "thresholds": [threshold],
            "tags": marks(self.key),
        }


def every() -> tuple[Objective, ...]:
    scope = conf.current().monitor_scope
    return (
        Objective(
            key="availability",
            title="Requests are answered without a server error",
            says="Of a thousand requests, one may be answered with a 5xx. Refusals are answers.",
            good=total(c.REQUESTS, scope, route=ANSWERS, status_class="!5xx"),
            valid=total(c.REQUESTS, scope, route=ANSWERS),
            target=99.9,
            warning=99.95,
        ),
        Objective(
            key="latency",
            title="Requests are answered within half a second",
            says="Of a hundred requests, one may wait longer than 0.5 s until its response starts.",
            good=samples(c.REQUEST_DURATION, f"<={PROMPT_S:g}", scope),
            valid=samples(c.REQUEST_DURATION, ">=0", scope),
            target=99.0,
            warning=99.5,
        ),
    )
