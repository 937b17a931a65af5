"""Where the keys come from and where they go."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from metrics.datadog.account import Account, Away, Refused, Trouble, from_environment, host_of
from tests.datadog.server import API_KEY, APP_KEY, Datadog


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DD_API_KEY", "DD_APP_KEY", "DD_SITE", "DATADOG_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as bound:  # bound and not listening: a connection is refused
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({}, "https://api.datadoghq.com"),
        ({"DD_SITE": "datadoghq.eu"}, "https://api.datadoghq.eu"),
        ({"DD_SITE": "us5.datadoghq.com", "DATADOG_HOST": "https://proxy.example.com/"}, "https://proxy.example.com"),
        ({"DATADOG_HOST": "http://127.0.0.1:8126"}, "http://127.0.0.1:8126"),
    ],
)
def test_the_site_says_where_the_api_is(environ: dict[str, str], host: str) -> None:
    assert host_of(environ) == host


@pytest.mark.parametrize(
    "host", ["http://api.datadoghq.com", "http://10.0.0.1", "api.datadoghq.com", "ftp://x", "https://"]
)
def test_an_address_that_would_show_the_keys_or_is_none_is_refused(host: str) -> None:
    with pytest.raises(Trouble, match="DATADOG_HOST must"):
        host_of({"DATADOG_HOST": host})


def test_without_keys_there_is_no_account() -> None:
    assert from_environment() is None


@pytest.mark.parametrize(("given", "missing"), [("DD_API_KEY", "DD_APP_KEY"), ("DD_APP_KEY", "DD_API_KEY")])
def test_one_key_of_two_is_told(monkeypatch: pytest.MonkeyPatch, given: str, missing: str) -> None:
    monkeypatch.setenv(given, "abc")

    with pytest.raises(Trouble, match=f"{missing} is not set"):
        from_environment()


def test_a_key_with_a_line_end_is_told_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file that was read with its last newline leaves it."""
    monkeypatch.setenv("DD_API_KEY", "secret\n")
    monkeypatch.setenv("DD_APP_KEY", "secret")

    with pytest.raises(Trouble, match="DD_API_KEY holds a space") as told:
        from_environment()

    assert "secret" not in str(told.value)


def test_the_keys_go_in_headers(datadog: Datadog) -> None:
    assert Account(API_KEY, APP_KEY, datadog.host).call("GET", "monitor") == []


def test_keys_of_another_account_are_refused_with_the_names_of_what_to_look_at(datadog: Datadog) -> None:
    account = Account(API_KEY, "another", datadog.host)

    with pytest.raises(Refused) as told:
        account.call("GET", "monitor")

    assert told.value.status == 403
    assert "DD_API_KEY and DD_APP_KEY belong to the account at http://127.0.0.1" in str(told.value)
    assert API_KEY not in str(told.value)


def test_nobody_at_the_address_is_told_after_three_more_tries(closed_port: int) -> None:
    waits: list[float] = []
    account = Account("a", "b", f"http://127.0.0.1:{closed_port}", wait=waits.append)

    with pytest.raises(Away, match="cannot be reached") as told:
        account.call("GET", "monitor")

    assert waits == [1, 2, 4]
    assert len(str(told.value)) < 300


def test_a_page_that_is_no_api_is_told(datadog: Datadog) -> None:
    datadog.fail("GET", "v1/monitor", 200, body="<html>Sign in to the guest network</html>")

    with pytest.raises(Trouble, match="not JSON: is it Datadog's API"):
        Account(API_KEY, APP_KEY, datadog.host).call("GET", "monitor")


@pytest.mark.parametrize("reset", ["", "soon", "-5", "0", "nan"])
def test_a_rate_limit_without_a_usable_time_is_waited_for_all_the_same(datadog: Datadog, reset: str) -> None:
    datadog.fail("GET", "v1/monitor", 429, headers={"X-RateLimit-Reset": reset} if reset else {})
    waits: list[float] = []

    Account(API_KEY, APP_KEY, datadog.host, wait=waits.append).call("GET", "monitor")

    assert len(waits) == 1
    assert 1 <= waits[0] <= 10


def test_a_rate_limit_of_an_hour_is_not_waited_for(datadog: Datadog) -> None:
    datadog.fail("GET", "v1/monitor", 429, headers={"X-RateLimit-Reset": "3600"})
    waits: list[float] = []

    with pytest.raises(Away, match="rate limit asks to wait for more than 300 s"):
        Account(API_KEY, APP_KEY, datadog.host, wait=waits.append).call("GET", "monitor")

    assert waits == []


def test_errors_of_version_two_are_told_too(datadog: Datadog) -> None:
    body = '{"errors": [{"title": "Bad", "detail": "no \\u001b[31m such metric"}]}'
    datadog.fail("GET", "v2/metrics/a/tags", 400, body=body)

    with pytest.raises(Refused, match=r"400, no  \[31m such metric") as told:
        Account(API_KEY, APP_KEY, datadog.host).call("GET", "metrics/a/tags", version="v2")

    assert "\x1b" not in str(told.value)


def test_errors_within_a_good_answer_are_errors_and_an_empty_list_of_them_is_none(datadog: Datadog) -> None:
    """The library itself takes an empty list for a failure."""
    account = Account(API_KEY, APP_KEY, datadog.host)
    datadog.fail("GET", "v1/slo", 200, body='{"data": [], "errors": ["half of it failed"]}')

    with pytest.raises(Refused, match="half of it failed"):
        account.call("GET", "slo")
    assert account.call("GET", "slo")["data"] == []
