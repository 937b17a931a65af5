from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from metrics import catalogue
from metrics.datadog.account import Account
from metrics.datadog.query import name
from metrics.datadog.sync import Sync
from tests.datadog.server import API_KEY, APP_KEY, Datadog, running


@pytest.fixture(autouse=True)
def plain(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's handles, and no proxy between us and the server beside us."""
    settings.METRICS = {"STRICT": True}
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def datadog() -> Iterator[Datadog]:
    """An account that holds nothing of ours."""
    with running() as account:
        yield account


@pytest.fixture
def seen(datadog: Datadog) -> Datadog:
    """An account to which every metric was sent, as the Agent sends them."""
    for metric in catalogue.ALL:
        kind = "rate" if metric.type == "count" else metric.type
        datadog.metrics[name(metric)] = {"type": kind, "unit": None, "description": None, "short_name": None}
    return datadog


class Run:
    """One run of the sync, with what it said and how long it would have waited."""

    def __init__(self, datadog: Datadog, *, write: bool = True, prune: bool = False, timeout_s: float = 10) -> None:
        self.said: list[str] = []
        self.waits: list[float] = []
        before = len(datadog.writes)
        account = Account(API_KEY, APP_KEY, datadog.host, timeout_s=timeout_s, wait=self.waits.append)
        self.sync = Sync(account, self.said.append, write, prune)
        self.sync.run()
        self.writes = datadog.writes[before:]

    @property
    def text(self) -> str:
        return "\n".join(self.said)
