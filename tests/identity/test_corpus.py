"""Every case of the corpus, on `identify` itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.http import HttpRequest

from ip_tracking.client import Client, identify
from tests.identity.corpus import CASES, Case

Configure = Callable[..., object]


def as_servers_do(case: Case) -> HttpRequest:
    """Lines of one name joined by commas, whatever its letters; names with underscores dropped."""
    made = HttpRequest()
    made.META = {"REMOTE_ADDR": case.peer}
    for line in case.sent:
        name, _, value = line.partition(":")
        if "_" in name:
            continue
        key = "HTTP_" + name.upper().replace("-", "_")
        before = f"{made.META[key]}," if key in made.META else ""
        made.META[key] = before + value.strip(" \t")
    return made


def client_of(case: Case) -> Client:
    return identify(as_servers_do(case))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.setup.header}: {case.what}"[:100])
def test_the_client_is_who_it_should_be(tracking: Configure, case: Case) -> None:
    tracking(TRUSTED_PROXIES=list(case.setup.trusted), PROXY_HEADER=case.setup.header)

    client = client_of(case)

    assert client.address == case.client
    assert case.network in ("", client.network)


def test_the_corpus_is_large_and_says_nothing_twice() -> None:
    asked = [(case.setup, case.peer, case.sent) for case in CASES]

    assert len(asked) >= 220
    assert [one for one in asked if asked.count(one) > 1] == []


def test_the_corpus_bites(tracking: Configure) -> None:
    """Where everybody is trusted, so that anybody can be anybody, at least a third of the answers are wrong."""
    wrong = 0
    for case in CASES:
        tracking(TRUSTED_PROXIES=["0.0.0.0/0", "::/0", "unix"], PROXY_HEADER=case.setup.header)
        wrong += client_of(case).address != case.client

    assert wrong >= len(CASES) / 3
