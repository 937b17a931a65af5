from __future__ import annotations

from decimal import Decimal

import requests
from celery import shared_task
from django.conf import settings

from rates.models import Rate


@shared_task(autoretry_for=(requests.RequestException,), retry_backoff=1, retry_backoff_max=60, max_retries=10)
def fetch_rates() -> None:
    """Asks our partner; where nobody answers, again after about 1, 2, 4... seconds."""
    answer = requests.get(settings.PARTNER_URL, timeout=5)
    answer.raise_for_status()
    for currency, in_euro in answer.json().items():
        Rate.objects.update_or_create(currency=currency, defaults={"in_euro": Decimal(in_euro)})
