"""What every test shares: a clean store, and the real services of tests/services.py."""

from __future__ import annotations

import pytest

from ip_tracking import conf, decorators
from ip_tracking.gate import decisions, store, switch
from ip_tracking.record import buffer


@pytest.fixture(autouse=True)
def _clean_house():
    """Each test begins with an empty store and an empty buffer, and no memo of another's settings."""
    store.get().client.flushdb()
    buffer._events.clear()
    decisions.forget()
    decorators.used.clear()  # the views of another test's URLconf
    switch.forget()
    yield
    buffer._events.clear()


@pytest.fixture
def tracking(settings):
    """Changes IP_TRACKING for one test: `tracking(ENFORCE="block")`."""

    def change(**values):
        settings.IP_TRACKING = {**settings.IP_TRACKING, **values}
        return conf.get()

    return change
