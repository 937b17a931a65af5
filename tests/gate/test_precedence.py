"""Which decision holds where several cover one client: docs/decisions-in-force.md as a table, at the door itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from django.http import HttpRequest
from django.test import Client

from ip_tracking.gate import decisions

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
CLIENTS = {"IPv4": "198.51.100.7", "IPv6": "2001:db8:1:2::7"}
NETWORKS = {
    "IPv4": {"exact": "198.51.100.7", "wide": "198.51.100.0/24"},
    "IPv6": {"exact": "2001:db8:1:2::/64", "wide": "2001:db8:1::/48"},
}
PASSED, THROTTLED, BLOCKED = 200, 429, 403

# Strongest last: what a stranger, and a known caller, is answered under these decisions.
TABLE = [
    ([], PASSED, PASSED),
    (["throttle exact"], THROTTLED, PASSED),
    (["throttle wide"], THROTTLED, PASSED),
    (["block exact"], BLOCKED, BLOCKED),
    (["block wide"], BLOCKED, BLOCKED),
    (["throttle exact", "block exact"], BLOCKED, BLOCKED),
    (["throttle exact", "block wide"], BLOCKED, BLOCKED),
    (["throttle wide", "block exact"], BLOCKED, BLOCKED),
    (["throttle wide", "block wide"], BLOCKED, BLOCKED),
    (["block exact", "allow exact"], PASSED, PASSED),
    (["block exact", "allow wide"], PASSED, PASSED),
    (["block wide", "allow exact"], PASSED, PASSED),
    (["block wide", "allow wide"], PASSED, PASSED),
    (["throttle exact", "allow wide"], PASSED, PASSED),
    (["throttle wide", "allow exact"], PASSED, PASSED),
    (["throttle wide", "block exact", "allow wide"], PASSED, PASSED),
    (["throttle exact", "block wide", "allow exact"], PASSED, PASSED),
]


def known_caller(request: HttpRequest) -> str | None:
    return request.META.get("HTTP_X_TEST_USER")


@pytest.fixture(autouse=True)
def _door(settings, tracking):
    settings.ROOT_URLCONF = "tests.urls_door"
    tracking(KINDS={"healthz": "health"}, KNOWN_CALLER="tests.gate.test_precedence.known_caller", OUTCOMES={})


def decide(made: str, version: str, until: datetime, now: datetime) -> None:
    kind, width = made.split()
    network = NETWORKS[version][width]
    decisions.decide(kind, network, until=until, reason="a test", actor="dana", by_person=True, now=now)


def asked(version: str, path: str = "/plain/", **headers: str) -> int:
    return Client(REMOTE_ADDR=CLIENTS[version], headers=headers).get(path).status_code


def names(row: object) -> str | None:
    return ", ".join(row) or "nothing" if isinstance(row, list) else None


@pytest.mark.parametrize("version", CLIENTS)
@pytest.mark.parametrize(("made", "stranger", "known"), TABLE, ids=names)
def test_the_strongest_holds_whatever_came_first_and_however_wide_it_is(version, made, stranger, known):
    now = datetime.now(UTC)
    answers = set()

    for order in permutations(made):
        for one in order:
            decide(one, version, now + HOUR, now)
        decisions.refresh(now)
        answers.add((asked(version), asked(version, **{"X-Test-User": "42"}), asked(version, "/healthz")))
        for network in NETWORKS[version].values():
            decisions.end(network, now, ("allow", "block", "throttle"))

    assert answers == {(stranger, known, PASSED)}


@pytest.mark.parametrize("version", CLIENTS)
@pytest.mark.parametrize("made", [row for row, *_ in TABLE if len(row) > 1], ids=names)
def test_what_a_stronger_one_outranked_shows_again_when_that_runs_out(version, made):
    """The strongest runs out first. Time is passed in: the table's and the rows'; the store has nothing to wait for."""
    now = datetime.now(UTC)
    for place, one in enumerate(reversed(made), start=1):
        decide(one, version, now + place * HOUR, now)
    decisions.refresh(now)
    shown = [held(made, version, now)]

    for passed in range(1, len(made) + 1):
        decisions.refresh(now + passed * HOUR)
        shown.append(held(made, version, now + passed * HOUR))

    assert shown == [*[one.split()[0] for one in reversed(made)], ""]


def held(made: list[str], version: str, at: datetime) -> str:
    """What the table says at that time, else what the store holds."""
    network = NETWORKS[version]["exact"]
    wide = decisions.find(network, at)
    if wide is not None:
        return wide.kind
    found = decisions._client().get(decisions.decision_key(network))
    return found.decode() if found else ""
