"""block_ip, unblock_ip and decisions, at the command line."""

from __future__ import annotations

import io
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from ip_tracking import cases
from ip_tracking.gate import decisions
from ip_tracking.models import Decision, GateSwitch, ReviewAction, SuspiciousIP
from tests.required import require
from tests.review.conftest import file as file_case
from tests.traffic import ATTACKER, finding

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "seen in the logs"


def run(*args: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(*args, stdout=out, **options)
    return out.getvalue()


def status_of(address: str) -> int:
    return Client(REMOTE_ADDR=address).get("/healthz/none").status_code


def standing() -> set[tuple[str, str]]:
    return set(Decision.objects.filter(ended_at=None).values_list("kind", "network"))


def test_a_blocked_network_is_refused_and_an_unblocked_one_passes() -> None:
    told = run("block_ip", "198.51.100.7", reason=WHY, actor="dana")
    blocked = status_of("198.51.100.7")
    run("unblock_ip", "198.51.100.7", reason=WHY)

    assert told == "Blocked for 24h: 198.51.100.7\n"
    assert (blocked, status_of("198.51.100.7")) == (403, 404)
    assert Decision.objects.get().actor == "dana"


def test_a_wide_block_holds_for_every_address_in_it_after_the_next_refresh() -> None:
    run("block_ip", "198.51.100.0/24", reason=WHY)
    decisions.refresh()

    assert (status_of("198.51.100.99"), status_of("198.51.101.99")) == (403, 404)


def test_an_ipv6_address_stands_for_its_64() -> None:
    run("block_ip", "2001:db8::1:2:3:4", "::ffff:198.51.100.9", reason=WHY)

    assert standing() == {("block", "2001:db8::/64"), ("block", "198.51.100.9")}


def test_a_network_with_a_case_is_blocked_and_unblocked_through_it() -> None:
    file_case(finding())
    run("block_ip", ATTACKER, reason=WHY, actor="dana")
    blocked = SuspiciousIP.objects.get().enforcement
    assert Decision.objects.count() == 1
    run("unblock_ip", ATTACKER, reason=WHY, actor="lee")

    assert (blocked, SuspiciousIP.objects.get().enforcement) == ("block", "none")
    actions = ReviewAction.objects.order_by("id").values_list("action", "actor_name", "via")
    assert list(actions) == [("block", "dana", "command"), ("unblock", "lee", "command")]


def test_an_allowed_network_is_not_blocked_by_a_wider_block() -> None:
    run("block_ip", "198.51.100.0/24", reason=WHY)
    run("block_ip", "198.51.100.7", "--kind", "allow", "--for", "forever", reason="a price comparison partner")
    decisions.refresh()

    assert (status_of("198.51.100.7"), status_of("198.51.100.8")) == (404, 403)


def test_a_file_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text("# last night\n198.51.100.1\n\n198.51.100.2  # the loud one\n")
    bad.write_text("198.51.100.3\nnonsense\n198.51.100.0/22/3\n")

    run("block_ip", "--from", str(good), reason=WHY)
    with pytest.raises(CommandError) as refused:
        run("block_ip", "--from", str(bad), reason=WHY)

    assert standing() == {("block", "198.51.100.1"), ("block", "198.51.100.2")}
    assert f"{bad}:2" in str(refused.value)
    assert f"{bad}:3" in str(refused.value)


@pytest.mark.parametrize(
    ("networks", "says"),
    [
        (["127.0.0.1"], "this machine itself"),
        (["::1"], "this machine itself"),
        (["10.0.0.5"], "trusted proxy"),
        (["198.51.0.0/16"], "wider than /24"),
        (["2001:db8::/32"], "wider than /48"),
        (["198.51.100.77"], "allow-list"),
        (["198.51.100.1", "127.0.0.1"], "127.0.0.1"),
    ],
)
def test_what_would_hurt_is_refused_and_nothing_is_done(tracking: Any, networks: list[str], says: str) -> None:
    tracking(TRUSTED_PROXIES=["10.0.0.0/8"])
    run("block_ip", "198.51.100.77", "--kind", "allow", reason=WHY)

    with pytest.raises(CommandError, match=says):
        run("block_ip", *networks, reason=WHY)

    assert standing() == {("allow", "198.51.100.77")}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "Name a network"),
        (["198.51.100.1", "--for", "soon"], "write 1h, 24h, 7d or forever"),
        (["198.51.100.1/8"], "write 203.0.113.7"),
        (["--from", "/nowhere"], "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_told_with_what_would(args: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run("block_ip", *args, reason=WHY)


def test_what_would_hurt_is_told_with_its_line(tmp_path: Path) -> None:
    listed = tmp_path / "listed"
    listed.write_text("198.51.100.1\n127.0.0.1\n\n198.51.0.0/16\n")

    with pytest.raises(CommandError) as refused:
        run("block_ip", "--from", str(listed), reason=WHY)

    assert standing() == set()
    assert str(refused.value).splitlines() == [
        "Nothing was done.",
        f"{listed}:2: 127.0.0.1: It is this machine itself.",
        f"{listed}:4: 198.51.0.0/16: It is wider than /24.",
    ]


def test_who_comes_back_is_blocked_for_longer_where_nobody_says_how_long() -> None:
    now = datetime.now(UTC)
    for network, hours in (("198.51.100.1", 30), ("198.51.100.2", 30), ("198.51.100.2", 3)):
        served(network, now - timedelta(hours=hours))

    told = run("block_ip", "198.51.100.1", "198.51.100.2", "198.51.100.3", reason=WHY)
    said = run("block_ip", "198.51.100.1", "--for", "1h", reason=WHY)

    assert told.splitlines() == [
        "Blocked for 24h: 198.51.100.3",
        "Blocked for 2d (not for the first time within 30 days): 198.51.100.1",
        "Blocked for 4d (not for the first time within 30 days): 198.51.100.2",
    ]
    assert said == "Blocked for 1h: 198.51.100.1\n"


def test_a_lifted_block_was_a_mistake_and_makes_none_longer() -> None:
    run("block_ip", "198.51.100.1", reason=WHY)
    run("unblock_ip", "198.51.100.1", reason=WHY)

    assert run("block_ip", "198.51.100.1", reason=WHY) == "Blocked for 24h: 198.51.100.1\n"


def served(network: str, began: datetime) -> None:
    """A block of an hour that ran out."""
    decisions.decide(
        "block", network, until=began + timedelta(hours=1), reason=WHY, actor="dana", by_person=True, now=began
    )


def test_an_allow_lifts_what_stands_against_the_network_and_all_within_it() -> None:
    file_case(finding(network="198.51.100.7"))
    run("block_ip", "198.51.100.7", "198.51.100.0/28", "198.51.101.7", reason=WHY)
    run("block_ip", "198.51.100.8", "--kind", "throttle", reason=WHY)

    told = run("block_ip", "198.51.100.0/25", "--kind", "allow", reason="our own office", actor="lee")

    assert told.splitlines() == [
        "Allowed for 24h: 198.51.100.0/25",
        "Lifted the block of 198.51.100.0/28",
        "Lifted the block of 198.51.100.7",
        "Lifted the throttle of 198.51.100.8",
    ]
    assert standing() == {("allow", "198.51.100.0/25"), ("block", "198.51.101.7")}
    assert [status_of(f"198.51.{last}") for last in ("100.7", "100.8", "101.7")] == [404, 404, 403]
    case, record = SuspiciousIP.objects.get(), ReviewAction.objects.first()
    assert (case.enforcement, case.enforced_until) == ("none", None)
    assert (record.action, record.text.network, record.actor_name, record.text.reason) == (
        "unblock", "198.51.100.7", "lee", "our own office",
    )  # fmt: skip


def test_an_allow_leaves_a_wider_block_standing_for_the_others() -> None:
    run("block_ip", "198.51.100.0/24", reason=WHY)

    told = run("block_ip", "198.51.100.7", "--kind", "allow", "--for", "7d", reason=WHY)

    assert told == "Allowed for 7d: 198.51.100.7\n"
    assert standing() == {("allow", "198.51.100.7"), ("block", "198.51.100.0/24")}


def test_an_allow_lifts_a_detectors_block_from_its_case(tracking: Any) -> None:
    tracking(ENFORCE="block")
    cases.file([finding()], now=datetime.now(UTC))
    assert SuspiciousIP.objects.get().enforcement == "block"

    run("block_ip", ATTACKER, "--kind", "allow", reason="a tester we hired")

    assert SuspiciousIP.objects.get().enforcement == "none"
    assert status_of(ATTACKER) == 404


def test_an_allow_and_what_it_lifts_are_one(tracking: Any) -> None:
    """The lifting fails over a row that names no network; nothing of the allow must stay."""
    run("block_ip", "198.51.100.7", reason=WHY)
    Decision.objects.create(kind="block", network="no network", reason=WHY, actor="dana", by_person=True)

    with pytest.raises(ValueError, match="no network"):
        run("block_ip", "198.51.100.7", "--kind", "allow", reason=WHY)

    assert not Decision.objects.filter(kind="allow").exists()
    assert status_of("198.51.100.7") == 403


def test_a_reason_is_needed() -> None:
    with pytest.raises(CommandError, match="reason"):
        run("block_ip", "198.51.100.1", reason="so")


def test_unblocking_what_was_not_blocked_says_so() -> None:
    assert run("unblock_ip", "198.51.100.1", reason=WHY) == "198.51.100.1: nothing stood\n"


def test_the_decisions_in_force_are_listed_for_people_and_for_machines() -> None:
    run("block_ip", "198.51.100.1", reason="an \x1b[31mangry\x1b[0m one", actor="dana")
    run("block_ip", "198.51.100.2", "--kind", "allow", "--for", "forever", reason=WHY)
    run("block_ip", "198.51.100.3", reason=WHY)
    run("unblock_ip", "198.51.100.3", reason=WHY)

    table, listed = run("decisions"), json.loads(run("decisions", "--format", "json"))

    assert "\x1b" not in table
    assert "dana: an \\x1b[31mangry" in table
    assert {(d["kind"], d["network"], d["until"] is None) for d in listed} == {
        ("block", "198.51.100.1", False),
        ("allow", "198.51.100.2", True),
    }


def test_the_edge_gets_what_is_blocked_with_the_allowed_before() -> None:
    run("block_ip", "198.51.100.0/24", "2001:db8:1:2::7", "198.51.9.9", reason=WHY)
    run("block_ip", "198.51.100.2", "2001:db8::/32", "--kind", "allow", reason=WHY)
    run("block_ip", "198.51.102.9", "--kind", "throttle", reason=WHY)
    run("block_ip", "2001:db9:1:2::7", reason="}\ndeny all;")

    assert run("decisions", "--format", "nginx").splitlines() == [
        "allow 198.51.100.2;",
        "allow 2001:db8::/32;",
        "deny 198.51.9.9;",
        "deny 198.51.100.0/24;",
        "deny 2001:db9:1:2::/64;",
    ]


def test_a_plain_list_leaves_out_who_is_allowed() -> None:
    """It has no order that could say so."""
    run("block_ip", "198.51.100.0/29", "2001:db8:1::/48", "198.51.9.9", reason=WHY)
    run("block_ip", "198.51.100.2", "198.51.200.0/24", "2001:db8:1:8000::/49", "--kind", "allow", reason=WHY)

    assert run("decisions", "--format", "plain").splitlines() == [
        "198.51.9.9",
        "198.51.100.0/31",
        "198.51.100.3",
        "198.51.100.4/30",
        "2001:db8:1::/49",
    ]


@pytest.mark.parametrize("edge", ["nginx", "plain"])
def test_the_edge_is_told_of_no_block_while_the_gate_refuses_nobody(edge: str) -> None:
    run("block_ip", "198.51.100.1", reason=WHY)
    run("gate", "--shadow", "1h", reason=WHY)

    warned = io.StringIO()

    assert run("decisions", "--format", edge, stderr=warned) == ""
    assert "nobody is refused" in warned.getvalue()
    assert "198.51.100.1" in run("decisions", stderr=warned)


@pytest.mark.slow
def test_nginx_takes_the_list(tmp_path: Path) -> None:
    run("block_ip", "198.51.100.0/24", "2001:db8:1:2::7", reason=WHY)
    run("block_ip", "198.51.100.2", "--kind", "allow", reason=WHY)
    (tmp_path / "blocked.conf").write_text(run("decisions", "--format", "nginx"))
    configured = tmp_path / "nginx.conf"
    configured.write_text(
        f"error_log {tmp_path}/error.log; pid {tmp_path}/pid; events {{}}\n"
        f"http {{ access_log off; server {{ listen unix:{tmp_path}/s; include {tmp_path}/blocked.conf; }} }}\n"
    )

    checked = subprocess.run(
        [require("nginx", "nginx"), "-t", "-c", str(configured), "-p", str(tmp_path)], capture_output=True, check=False
    )

    assert checked.returncode == 0, checked.stderr


def test_without_a_decision_the_list_says_so() -> None:
    assert run("decisions") == "No decision is in force.\n"


# The switch


def test_the_gate_says_how_it_stands() -> None:
    assert run("gate") == "The gate enforces, as IP_TRACKING['MODE'] says.\n"


def test_the_gate_is_switched_off_and_on_and_says_by_whom_and_why() -> None:
    now = datetime.now(UTC)

    off = run("gate", "--off", "1h", reason=WHY, actor="ada")
    on = run("gate", "--on", reason="fixed it", actor="lee")

    first, last = GateSwitch.objects.order_by("id")
    assert first.until - first.at == timedelta(hours=1)
    assert now <= first.at < last.at
    assert off.splitlines() == [
        f"The gate is off until {first.until:%H:%M} UTC (ada: {WHY}).",
        f"Since {first.at:%Y-%m-%d %H:%M} UTC; after that IP_TRACKING['MODE'] holds: enforce.",
    ]
    assert on.splitlines() == [
        "The gate enforces, as IP_TRACKING['MODE'] says.",
        f"Last switched: on, {last.at:%Y-%m-%d %H:%M} UTC (lee: fixed it).",
    ]


def test_the_gate_in_shadow_says_so() -> None:
    assert run("gate", "--shadow", "24h", reason=WHY, actor="ada").startswith("The gate is in shadow until ")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--off", "25h"], "24h at most"),
        (["--shadow", "forever"], "24h at most"),
        (["--off", "soon"], "'soon' is no time"),
        (["--off", "1h", "--on"], "not allowed with"),
        ([], "say --off 1h, --shadow 1h or --on"),
    ],
)
def test_a_switch_that_makes_no_sense_is_told_what_would(args: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run("gate", *args, "--reason", WHY)

    assert not GateSwitch.objects.exists()


def test_the_gate_is_not_switched_without_a_reason() -> None:
    with pytest.raises(CommandError, match="Give a reason"):
        run("gate", "--off", "1h")
