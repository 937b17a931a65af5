from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ip_tracking.record.spool import Spool
from metrics import client
from tests.dogstatsd import Receiver, udp_receiver
from tests.metrics.conftest import send_to


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver that this process' metrics go to."""
    with udp_receiver() as receiver:
        send_to(monkeypatch, receiver.environ)
        yield receiver
        client.close()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(str(tmp_path / "spool"))
