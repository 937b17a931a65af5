"""explain_client: how a peer and its headers become a client, and how that client stands."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from ip_tracking.gate import decisions, store
from ip_tracking.gate.policies import SHIPPED
from ip_tracking.models import HeaderHour, SuspiciousIP
from ip_tracking.review.derivation import derivation
from tests.identity.corpus import CASES
from tests.identity.test_corpus import as_servers_do
from tests.review.conftest import file as file_case
from tests.traffic import ATTACKER, finding

pytestmark = pytest.mark.django_db(transaction=True)

Configure = Callable[..., object]

PROXIES = ["10.0.0.0/8", "unix"]


def explain(*args: str) -> str:
    out = io.StringIO()
    call_command("explain_client", *args, stdout=out)
    return out.getvalue()


def explained(*args: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(explain(*args, "--format", "json"))
    return answer


def limits(*args: str) -> dict[str, int]:
    return {limit["name"]: limit["used"] for limit in explained(*args)["standing"]["limits"]}


def decide(kind: str, network: str, reason: str = "for a test") -> None:
    now = datetime.now(UTC)
    decisions.decide(
        kind, network, until=now + timedelta(hours=1), reason=reason, actor="dana", by_person=True, now=now
    )
    decisions.refresh()


# How an address is derived


def test_each_step_says_what_it_read_and_why_it_went_on_or_ended(tracking: Configure) -> None:
    tracking(TRUSTED_PROXIES=PROXIES)

    told = explain("--peer", "10.0.0.1", "--header", "X-Forwarded-For: 198.51.100.1, 203.0.113.9:99, 10.0.0.2")

    assert told.splitlines()[:6] == [
        "Peer 10.0.0.1: trusted, by 10.0.0.0/8 in TRUSTED_PROXIES: the header is read from the right.",
        "X-Forwarded-For: 198.51.100.1, 203.0.113.9:99, 10.0.0.2",
        "  10.0.0.2: a trusted proxy, by 10.0.0.0/8: further left.",
        "  203.0.113.9:99 (read as 203.0.113.9): in no entry of TRUSTED_PROXIES: it is the client.",
        "  1 entry not read: nobody we trust vouches for what stands further left.",
        "Client: address 203.0.113.9, network 203.0.113.9.",
    ]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--peer", "203.0.113.9"], "in no entry of TRUSTED_PROXIES: it is the client, and no header is read"),
        (["--peer", "unix"], "Peer without an address: trusted, by unix"),
        (["--peer", "10.0.0.1"], "X-Forwarded-For: did not come."),
        (["--peer", "10.0.0.1", "--header", "X-Forwarded-For: 10.0.0.3"], "Nobody stands further left"),
        (["--peer", "10.0.0.1", "--header", "X-Forwarded-For: unknown"], "no address: the walk ends"),
        (["--peer", "10.0.0.1", "--header", "X-Real-IP: 203.0.113.9"], "Came, and is never read: X-Real-IP."),
        (["--peer", "10.0.0.1", "--header", "X_Forwarded_For: 203.0.113.9"], "X-Forwarded-For: did not come."),
        (["--peer", "10.0.0.1", "--header", "X-Forwarded-For: a", "--header", "x-forwarded-for: 9.9.9.9"],
         "X-Forwarded-For: a,9.9.9.9"),
        (["--peer", "2001:db8::1:2"], "Client: address 2001:db8::1:2, network 2001:db8::/64."),
    ],
)  # fmt: skip
def test_what_the_walk_meets_is_told(tracking: Configure, args: list[str], says: str) -> None:
    tracking(TRUSTED_PROXIES=PROXIES)

    assert says in explain(*args)


def test_a_socket_nobody_trusts_is_told(tracking: Configure) -> None:
    tracking(TRUSTED_PROXIES=[])

    assert 'TRUSTED_PROXIES has no "unix": the client is unknown' in explain("--peer", "unix")


def test_a_quote_that_is_never_closed_is_told(tracking: Configure) -> None:
    tracking(TRUSTED_PROXIES=PROXIES, PROXY_HEADER="Forwarded")

    told = explain("--peer", "10.0.0.1", "--header", 'Forwarded: for=198.51.100.1;host="x, for=10.0.0.2')

    assert "a quote that is never closed" in told
    assert "Client: address 10.0.0.2" in told


def test_what_is_explained_is_what_is_done(tracking: Configure) -> None:
    """Of every case of the corpus, as both come from one walk."""
    for case in CASES:
        tracking(TRUSTED_PROXIES=list(case.setup.trusted), PROXY_HEADER=case.setup.header)
        shown = derivation(as_servers_do(case))

        last = [step.read_as for step in shown.steps if step.read_as]
        assert shown.address == case.client
        assert "".join(last[-1:]).partition("%")[0] == shown.address.replace("unknown", "")


def test_hostile_text_is_shown_as_what_it_is() -> None:
    told = explain("--peer", "127.0.0.1", "--header", "X-Forwarded-For: \x1b[2J\u202e203.0.113.9")

    assert "\x1b" not in told
    assert "\u202e" not in told


# How the client stands


def test_without_a_decision_a_limit_or_a_case_it_says_so(tracking: Configure) -> None:
    tracking(POLICIES=dict.fromkeys(SHIPPED))

    told = explain("203.0.113.9")

    assert "Decisions in force on 203.0.113.9: None: requests pass, within the limits." in told
    assert "No policy counts by network or caller." in told
    assert "Case: none." in told


def test_the_strongest_decision_wins_whichever_is_wider() -> None:
    decide("throttle", ATTACKER)
    decide("block", "203.0.113.0/24", "a loud neighbourhood")
    blocked = explained(ATTACKER)["standing"]
    decide("allow", "203.0.0.0/16")

    allowed = explained(ATTACKER)["standing"]

    assert [(one["kind"], one["is_exact"]) for one in blocked["decisions"]] == [("block", False), ("throttle", True)]
    assert blocked["outcome"].startswith("Block on 203.0.113.0/24: every request is refused with 403. It wins:")
    assert allowed["outcome"].startswith("Allow on 203.0.0.0/16: every request passes")
    assert Client(REMOTE_ADDR=ATTACKER).get("/healthz/none").status_code == 404


def test_a_decision_on_somebody_else_is_not_shown() -> None:
    decide("block", "203.0.113.10")
    decide("block", "203.0.112.0/24")
    decide("block", "2001:db8:1::/64")

    assert explained(ATTACKER)["standing"]["decisions"] == []
    assert explained("2001:db8:2::9")["standing"]["decisions"] == []
    assert len(explained("2001:db8:1::9")["standing"]["decisions"]) == 1


def test_limits_are_shown_as_they_stand_and_looking_counts_nothing() -> None:
    for _ in range(3):
        Client(REMOTE_ADDR=ATTACKER).get("/healthz/none")

    seen = [limits(ATTACKER), limits(ATTACKER)]

    assert seen[0] == seen[1]
    assert seen[0]["site"] == 3
    assert set(seen[0]) == {name for name, row in SHIPPED.items() if row["key"] in ("network", "caller")}
    assert "site                     3 of 1200 in any 60 s (everything)" in explain(ATTACKER)


def test_a_full_limit_says_when_one_more_fits(tracking: Configure) -> None:
    tracking(POLICIES={"site": {"rates": ["1/m"], "why": "a test"}})
    Client(REMOTE_ADDR=ATTACKER).get("/healthz/none")

    assert "one more fits in 60 s" in explain(ATTACKER)


def test_an_exact_decision_leaves_no_limit_to_ask() -> None:
    decide("block", ATTACKER)

    assert "Not asked: a decision on exactly this client stands in the store." in explain(ATTACKER)


def test_a_store_that_is_away_is_told(tracking: Configure) -> None:
    tracking(STORE_URL="redis://127.0.0.1:1/0")
    store.forget()

    assert "The store is away" in explain(ATTACKER)


def test_the_case_is_shown() -> None:
    file_case(finding())
    case = SuspiciousIP.objects.get()

    assert f"Case {case.pk}: To review, high, score {case.score}, login-brute-force." in explain(ATTACKER)


def test_an_ipv6_address_stands_for_its_64() -> None:
    assert explained("2001:db8:1:2:3::4")["standing"]["network"] == "2001:db8:1:2::/64"
    assert explained("2001:db8:1:2::/64")["standing"]["network"] == "2001:db8:1:2::/64"
    assert explained("::ffff:203.0.113.9")["standing"]["network"] == ATTACKER


def test_warnings_are_shown_too() -> None:
    HeaderHour.objects.add(datetime.now(UTC).replace(minute=0, second=0, microsecond=0), requests=2_000, beyond=2_000)

    assert "Warning ip_tracking.W011" in explain(ATTACKER)
    assert [one["id"] for one in explained(ATTACKER)["warnings"]] == ["ip_tracking.W011"]


# What makes no sense


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "--peer 10.0.0.1, or --peer unix"),
        (["--header", "X-Forwarded-For: 203.0.113.9"], "--peer 10.0.0.1, or --peer unix"),
        (["somewhere"], "'somewhere' is no address; write 203.0.113.7"),
        (["203.0.113.0/24"], "is no address"),
        (["2001:db8::/48"], "is no address"),
        (["203.0.113.9", "--peer", "10.0.0.1"], "not both"),
        (["--peer", "nginx"], "'nginx' is no address; write"),
        (["--peer", "10.0.0.1", "--header", "203.0.113.9"], "is no header; write 'X-Forwarded-For: 203.0.113.7'"),
        (["--peer", "10.0.0.1", "--header", ": 203.0.113.9"], "is no header"),
        (["\x1b[2J"], r"'\\x1b\[2J' is no address"),
    ],
)
def test_what_makes_no_sense_is_told_with_what_would(args: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        explain(*args)
