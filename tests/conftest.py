"""What every test shares: a clean store, and the real services of tests/services.py."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

from ip_tracking import conf, decorators
from ip_tracking.gate import decisions, store, switch
from ip_tracking.record import buffer
from metrics import breaker
from tests.emptying import tables


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        tables.remember()


@pytest.fixture(autouse=True)
def _clean_house():
    """Each test begins with an empty store and an empty buffer; nothing is known of another's settings or marks."""
    breaker.forget()
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


@pytest.fixture(params=["sync", "async"])
def http(request) -> SimpleNamespace:
    """`http.get("/plain/")`, through the sync or the async handler."""
    if request.param == "sync":
        client = Client(raise_request_exception=False)
        return SimpleNamespace(
            kind="sync", get=client.get, post=client.post, send=client.generic, cookies=client.cookies
        )
    async_client = AsyncClient(raise_request_exception=False)

    async def send(*args: Any, **kwargs: Any) -> Any:
        return await async_client.generic(*args, **kwargs)

    # Not asyncio.run: its worker threads would keep database connections of their own.
    return SimpleNamespace(
        kind="async",
        get=async_to_sync(async_client.get),
        post=async_to_sync(async_client.post),
        send=async_to_sync(send),
        cookies=async_client.cookies,
    )


@pytest.fixture
def scripts_run():
    """How many round trips the gate has made: `before = scripts_run()`."""

    def count() -> int:
        stats = store.get().client.info("commandstats")
        return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "eval"))

    return count
