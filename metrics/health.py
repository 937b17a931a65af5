"""What a load balancer or a monitor asks. `/healthz`: does this process answer? `/readyz`: does what it needs answer?

`/healthz` asks nothing else, so that a database that is away does not end all workers.
"""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from metrics.probes import PARTS
from metrics.readiness import Report, readiness

NEVER_KEPT = {"Cache-Control": "no-store"}


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"}, headers=NEVER_KEPT)


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 or 503, within little more than a second whatever froze: `{"ready": true, "parts": {"redis": ...}}`."""
    report = readiness.look()
    response = JsonResponse(described(report), status=200 if report.ready else 503, headers=NEVER_KEPT)
    # Django would log each 503 as an error, several a minute; `readiness` told when it began.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def described(report: Report) -> dict[str, object]:
    """What anybody may know: no address, no exception. A part is as well as the worst of it."""
    found = {part.name: report.of(part) for part in PARTS}
    parts = {name: {"state": one.state, "ms": one.took_ms} for name, one in found.items() if one is not None}
    return {"ready": report.ready, "parts": parts}
