"""What a fuzzer's run needs around it: nothing in its way, nothing left undone, nothing left behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from pytest_django import Settings


@pytest.fixture
def unlimited(settings: Settings, tracking: Any) -> None:
    """The API's shape is tried, by thousands of calls from one address."""
    tracking(MODE="off")
    settings.RATELIMIT_ENABLE = False


@pytest.fixture
def mails_are_written() -> Iterator[None]:
    """Tasks are done at once, where they are asked for: what was sent in goes through the templates too."""
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = False


@pytest.fixture
def quiet() -> Iterator[None]:
    """Each refusal would be a line."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def alone(transactional_db: None) -> Iterator[None]:
    """The fuzzer's threads are gone; their connections would keep the tests' database from being removed."""
    yield
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
