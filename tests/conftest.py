"""What every test shares: a clean store, and the real services of tests/services.py."""

from __future__ import annotations

import pytest

from ip_tracking import conf
from ip_tracking.gate import decisions, store
from ip_tracking.record import buffer
from metrics import breaker


@pytest.fixture(autouse=True)
def _clean_house():
    """Each test begins with an empty store and an empty buffer; nothing is known of another test's settings."""
    breaker.forget()
    store.get().client.flushdb()
    buffer._events.clear()
    decisions.forget()
    yield
    buffer._events.clear()


@pytest.fixture
def tracking(settings):
    """Changes IP_TRACKING for one test: `tracking(ENFORCE="block")`."""

    def change(**values):
        settings.IP_TRACKING = {**settings.IP_TRACKING, **values}
        return conf.get()

    return change
