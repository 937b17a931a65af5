from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from rates.models import Rate
from rates.tasks import fetch_rates


def rates(request: HttpRequest) -> JsonResponse:
    return JsonResponse({rate.currency: str(rate.in_euro) for rate in Rate.objects.all()})


@require_POST
def refresh(request: HttpRequest) -> JsonResponse:
    fetch_rates.delay()
    return JsonResponse({"detail": "We are asking our partner."}, status=202)
