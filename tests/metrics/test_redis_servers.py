"""What an address names, and what a person is told of it."""

from __future__ import annotations

import pytest

from metrics.redis_stats.errors import BadAddress
from metrics.redis_stats.servers import name_of, seeds_of, server_of, servers_of
from tests.clusters import RunningCluster


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://user:secret@cache.example:6380/1", "cache.example:6380"),
        ("redis://:p%40ss%2Fsecret%23%3F%25@cache.example", "cache.example:6379"),
        ("redis://:secret@odd@cache.example", "cache.example:6379"),
        ("rediss://:secret@[2001:db8::1]/0?ssl_cert_reqs=none", "[2001:db8::1]:6379"),
        ("redis://", "localhost:6379"),
        ("unix://:secret@/run/a%20b/redis.sock?db=3", "/run/a b/redis.sock"),
        ("redis+cluster://user:secret@one:7000,two:7001/0?protocol=3", "cluster one:7000,two:7001"),
        ("rediss+cluster://:secret@[::1]:7000,%two", "cluster [::1]:7000,%two:6379"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, name: str) -> None:
    assert name_of(url) == name
    assert all("secret" not in repr(server_of(seed)) for seed in seeds_of(url))


@pytest.mark.parametrize(
    "url",
    [
        "", "cache:6379", "http://:secret@a", "redis://:secret@a:port", "redis://a:99999", "redis://:se/cret@a/0",
        "redis://:se#cret@a", "redis://a/0,other", "redis://a/secret", "redis://a?secret=1", "redis://a?db=secret",
        "redis://a?socket_timeout=secret", "unix://", "unix://?db=1", "redis+cluster://", "redis+cluster://one,,two",
        "redis+cluster://one:7000,two:secret", "redis://[::1", "redis+cluster://[::1,two",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_its_password_stays_unsaid(url: str) -> None:
    with pytest.raises(BadAddress) as refused:
        name_of(url)

    assert not any(part in str(refused.value) for part in ("secret", "se/", "cret", "http"))


def test_the_database_of_an_address_is_not_selected() -> None:
    """The numbers are the whole server's, and SELECT may be forbidden."""
    for url in ("redis://a/7", "redis://a?db=7", "unix:///run/redis.sock?db=7"):
        assert server_of(url).client().connection_pool.connection_kwargs["db"] == 0


def test_a_client_waits_half_a_second_and_tries_once() -> None:
    options = server_of("redis://a").client().connection_pool.connection_kwargs

    assert options["socket_timeout"] == options["socket_connect_timeout"] == 0.5
    assert options["retry"].get_retries() == 0


def test_every_primary_of_a_cluster_is_found_by_any_node(cluster: RunningCluster) -> None:
    ports = {str(node.port) for node in cluster.nodes}

    for node in cluster.nodes:
        found = servers_of(f"redis+cluster://127.0.0.1:1,127.0.0.1:{node.port}")
        assert {server.port for server in found} == ports
        assert {server.host for server in found} == {"127.0.0.1"}
