"""What the webhook says, and how the receiver can tell that we said it."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from uuid import uuid4

from django.urls import NoReverseMatch, reverse

from ip_tracking.models import SuspiciousIP

# Grows when a field changes its meaning or goes; a new field does not.
VERSION = 1

TIMESTAMP, SIGNATURE = "Sentinel-Timestamp", "Sentinel-Signature"


def body_of(case: SuspiciousIP, event: str, site_url: str, now: datetime) -> str:
    """ASCII throughout. The id stays the same however often the message is sent."""
    body = {
        "version": VERSION,
        "id": str(uuid4()),
        "event": event,
        "at": now.isoformat(),
        "case": {
            "id": case.pk,
            "network": case.network,
            "severity": case.severity,
            "score": case.score,
            "rule": case.top_rule,
            "first_seen": case.first_seen.isoformat(),
            "last_seen": case.last_seen.isoformat(),
            "link": _link(case, site_url),
        },
    }
    return json.dumps(body, ensure_ascii=True)


def signature(secret: str, timestamp: int, body: str) -> str:
    """HMAC-SHA256 over the time and the body: neither can be changed, and an old message shows its age."""
    signed = f"{timestamp}.{body}".encode()
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def headers_of(secret: str, timestamp: int, body: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "Sentinel",
        TIMESTAMP: str(timestamp),
        SIGNATURE: signature(secret, timestamp, body),
    }


def _link(case: SuspiciousIP, site_url: str) -> str:
    """The case's page; "" in a project without the admin."""
    try:
        return site_url.rstrip("/") + reverse("admin:ip_tracking_suspiciousip_change", args=[case.pk])
    except NoReverseMatch:
        return ""
