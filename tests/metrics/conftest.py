from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pytest_django.fixtures import Settings

from metrics import client
from tests.clusters import RunningCluster, running_cluster
from tests.dogstatsd import Receiver, udp_receiver, unix_receiver
from tests.metrics.redis_server import Server, running


@pytest.fixture(autouse=True)
def strict(settings: Settings) -> None:
    settings.METRICS = {"STRICT": True}
    settings.ROOT_URLCONF = "tests.metrics.urls"
    settings.MIDDLEWARE = ["metrics.middleware.MetricsMiddleware"]


@pytest.fixture
def lenient(settings: Settings) -> None:
    settings.METRICS = {"STRICT": False}


@pytest.fixture
def transport() -> str:
    return "udp"


@pytest.fixture
def agent(transport: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver this process sends to."""
    # A directory of its own, as a unix socket's path may hold 107 characters.
    with TemporaryDirectory(prefix="dog-") as directory:
        listening = udp_receiver() if transport == "udp" else unix_receiver(Path(directory) / "dog.sock")
        with listening as receiver:
            send_to(monkeypatch, receiver.environ)
            yield receiver
            client.close()


def send_to(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    """Makes this process's next metric go where the environment says."""
    client.close()
    monkeypatch.delenv("DD_DOGSTATSD_DISABLE", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["valkey", "redis"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Valkey and Debian's Redis: a server that nobody else looks a key up in."""
    with running(kind=request.param) as server:
        yield server


@pytest.fixture(params=["valkey"])
def watched(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Server]:
    """A server that is the only one exported."""
    with running(kind=request.param) as server:
        settings.METRICS = {"STRICT": True, "REDIS_URLS": [server.url]}
        yield server


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster
