"""Tells the outside of a case that is grave: once it is committed, by a task."""

from __future__ import annotations

import logging
from datetime import datetime
from enum import StrEnum
from functools import partial
from uuid import uuid4

from django.db import transaction

from ip_tracking import conf
from ip_tracking.models import SuspiciousIP
from ip_tracking.record.message import NotSent
from ip_tracking.record.publish import Publisher
from ip_tracking.webhook.message import body_of
from metrics import catalogue, emit

logger = logging.getLogger(__name__)

TASK = "ip_tracking.tasks.send_webhook"


class CaseEvent(StrEnum):
    OPENED = "case.opened"
    REOPENED = "case.reopened"
    WORSENED = "case.worsened"  # it was there to review, and is grave now


def announce(case: SuspiciousIP, event: CaseEvent, now: datetime) -> None:
    settings = conf.get()
    if settings.webhook_url:
        transaction.on_commit(partial(_publish, body_of(case, event, settings.site_url, now)), robust=True)


def _publish(body: str) -> None:
    """A broker that is away costs two seconds and the message, never the case."""
    publisher = Publisher()
    try:
        publisher.call(TASK, [body], str(uuid4()))
    except NotSent as error:
        logger.warning("A webhook was not queued: %s", error)
        emit.count(catalogue.WEBHOOKS, outcome="not_queued")
    finally:
        publisher.close()
