"""The receiver the other tests believe: what the protocol allows is read, and nothing else is."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.datagram import DATAGRAM_BYTES, TYPES
from tests.dogstatsd import Event, Message, Sample, ServiceCheck, check, parse

NOW = 1_800_000_000


def sample(line: bytes) -> Sample:
    (found,) = parse(line, NOW)
    assert isinstance(found, Sample)
    return found


# Metrics


def test_a_line_with_every_field_is_understood() -> None:
    line = b"a.b:1:2.5:-3|c|@0.5|#route:x:y,method:get,flag|c:ci-1|e:it-false,cn-web,pu-7-a|card:low|T1700000000"

    assert sample(line) == Sample(
        name="a.b",
        type="count",
        values=(1.0, 2.5, -3.0),
        tags={"route": "x:y", "method": "get", "flag": ""},
        rate=0.5,
        container="ci-1",
        external="it-false,cn-web,pu-7-a",
        cardinality="low",
        timestamp=1_700_000_000,
    )


def test_the_fields_of_a_line_may_come_in_any_order() -> None:
    assert sample(b"a:1|c|T1|card:high|#b:c|@1") == sample(b"a:1|c|@1|#b:c|card:high|T1")


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (b"a:7|c", (7.0,)), (b"a:-7|g", (-7.0,)), (b"a:0.5|d", (0.5,)), (b"a:1e-07|h", (1e-07,)),
        (b"a:1E+3|ms", (1000.0,)), (b"a:1:2:32|d", (1.0, 2.0, 32.0)), (b"a:1:1|c", (1.0, 1.0)),
    ],
)  # fmt: skip
def test_the_values_of_a_line_are_read_packed_or_not(line: bytes, values: tuple[float, ...]) -> None:
    assert sample(line).values == values


def test_only_the_values_of_a_set_are_not_packed() -> None:
    found = sample(b"users:1:b|s")

    assert (found.member, found.values) == ("1:b", ())


@pytest.mark.parametrize("line", [b"a:4:6|c|@0.5", b"a:10|c|@0.5", b"a:20|c", b"a:20|c|@1"])
def test_what_was_counted_is_told_by_value_and_rate(line: bytes) -> None:
    assert sample(line).total == 20


@pytest.mark.parametrize("container", ["ci-83c0a99c", "in-4026531835", "83c0a99c0a54", "ci-83c0,in-12"])
def test_a_container_is_named_as_by_each_version(container: str) -> None:
    assert sample(f"a:1|g|c:{container}".encode()).container == container


@pytest.mark.parametrize("cardinality", ["none", "low", "orchestrator", "high"])
def test_a_cardinality_is_no_container(cardinality: str) -> None:
    found = sample(f"a:1|g|c:ci-1|card:{cardinality}".encode())

    assert (found.container, found.cardinality) == ("ci-1", cardinality)


@pytest.mark.parametrize("kind", [*TYPES])
def test_a_rate_is_for_what_is_sampled_and_a_time_for_what_is_not_spread(kind: str) -> None:
    rated, timed = f"a:1|{kind}|@0.5".encode(), f"a:1|{kind}|T5".encode()

    for line, allowed in ((rated, kind in {"c", "h", "d", "ms"}), (timed, kind in {"c", "g"})):
        if allowed:
            assert sample(line)
        else:
            with pytest.raises(ValueError, match=r"rate|time"):
                sample(line)


def test_a_time_is_of_the_past() -> None:
    assert sample(b"a:1|g|T%d" % NOW).timestamp == NOW
    with pytest.raises(ValueError, match="past"):
        sample(b"a:1|g|T%d" % (NOW + 1))


@pytest.mark.parametrize(
    "line",
    [
        # the value
        b"a:nan|c", b"a:inf|g", b"a:-Infinity|g", b"a:True|c", b"a:None|g", b"a:|c", b"a:1:|d", b"a::1|d", b"a:1::2|d",
        b"a:1,5|c", b"a: 1|c", b"a:1 |c", b"a:0x1|c", b"a:1_0|c", b"a:+1|g", b"a:|s", "a:١|c".encode(), b"a|c",  # noqa: RUF001
        # the name
        b":1|c", b"1a:1|c", b"_a:1|c", b"a b:1|c", b"a-b:1|c", "ä:1|c".encode(), b"a" * 201 + b":1|c", b" a:1|c",
        # the type
        b"a:1", b"a:1|", b"a:1|x", b"a:1|C", b"a:1|cc", b"a:1|#b:c", b"a:1|c:ci-1", b"a:1||c",
        # the rate
        b"a:1|c|@0", b"a:1|c|@1.1", b"a:1|c|@-0.5", b"a:1|c|@", b"a:1|c|@half", b"a:1|c|@nan",
        # the tags
        b"a:1|c|#", b"a:1|c|#a:1,", b"a:1|c|#,a:1", b"a:1|c|#a:1,,b:2", b"a:1|c|#bad tag", b"a:1|c|#1:a", b"a:1|c|#:a",
        b"a:1|c|#a:1,a:2", "a:1|c|#ä:1".encode(), b"a:1|c|#a:" + b"x" * 200, b"a:1|c|#a:x\ty", b"a:1|c|#a:b\r",
        # the origin
        b"a:1|c|c:", b"a:1|c|c:ci-", b"a:1|c|c:in-x", b"a:1|c|c:in-1,ci-1", b"a:1|c|e:", b"a:1|c|e:it-maybe",
        b"a:1|c|e:web", b"a:1|c|e:it-true,", b"a:1|c|card:", b"a:1|c|card:HIGH", b"a:1|c|card:some",
        # the time
        b"a:1|c|T", b"a:1|c|T0", b"a:1|c|T-1", b"a:1|c|T1.5", b"a:1|c|Tnow",
        # the fields
        b"a:1|c|zzz", b"a:1|c|", b"a:1|c||#b:c", b"a:1|c|#a:1|#b:2", b"a:1|c|@1|@1", b"a:1|c|T1|T1", b"a:1|c|c:1|c:1",
        b"a:1|c|card:low|card:low", b"a:1|c|d:5", b"a:1|c|m:text",
        # the encoding
        b"a:1|c|#a:\xff", b"\xff", b"a:1|c\x00",
    ],
)  # fmt: skip
def test_what_is_not_the_protocol_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=" in b"):
        parse(line, NOW)


names = st.from_regex(r"[A-Za-z][A-Za-z0-9_.]{0,30}", fullmatch=True)
tags = st.dictionaries(
    st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,10}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_\-:./]{0,20}", fullmatch=True),
    max_size=4,
)
numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(names, st.sampled_from("cgdh"), st.lists(numbers, min_size=1, max_size=5), tags)
def test_what_is_written_by_the_protocol_is_read_as_it_was(
    name: str, kind: str, values: list[float], told: dict[str, str]
) -> None:
    listed = ",".join(f"{key}:{value}" for key, value in told.items())
    line = f"{name}:{':'.join(map(repr, values))}|{kind}" + (f"|#{listed}" if listed else "")

    assert sample(line.encode()) == Sample(name, TYPES[kind], tuple(values), told)


@given(st.lists(st.sampled_from([b"a:1", b"_e{1,1}:", b"_sc|", b"a", b"|", b":", b"c", b"#", b"\n", b"1", b"\xff"])))
def test_no_bytes_break_the_reader(parts: list[bytes]) -> None:
    """It reads or says what is wrong; it never fails in another way."""
    with suppress(ValueError):
        parse(b"".join(parts), NOW)


# Packets


def test_a_packet_of_many_lines_is_understood() -> None:
    messages = parse("a:1|c\n_e{6,1}:zwölf|x\n_sc|redis.can_connect|2|#redis_host:a\nb:2|g\n".encode())

    assert [type(message) for message in messages] == [Sample, Event, ServiceCheck, Sample]


@pytest.mark.parametrize(("packet", "number"), [(b"", 0), (b"\n", 0), (b"a:1|c\n\n\nb:1|c\n\n", 2), (b"\na:1|c", 1)])
def test_empty_lines_say_nothing(packet: bytes, number: int) -> None:
    assert len(parse(packet)) == number


def test_one_bad_line_of_a_packet_is_told() -> None:
    with pytest.raises(ValueError, match="b:x"):
        parse(b"a:1|c\nb:x|c\nc:1|c")


def test_a_packet_the_agent_would_not_read_to_its_end_is_refused() -> None:
    line = b"a:1|c\n"

    assert parse(line * (DATAGRAM_BYTES // len(line)))
    with pytest.raises(ValueError, match="more than"):
        parse(line * (DATAGRAM_BYTES // len(line) + 1))


# Events


def test_an_event_with_every_field_is_understood() -> None:
    line = b"_e{3,4}:a|b|c\\nd|d:1700000000|h:web-1|k:key|p:low|s:sentinel|t:warning|#rule:a,b|c:ci-1|card:none"

    assert parse(line) == [
        Event("a|b", "c\nd", {"rule": "a", "b": ""}, "key", "sentinel", "low", "warning", "web-1", 1_700_000_000)
    ]


def test_an_event_needs_a_title_and_a_text_only() -> None:
    assert parse(b"_e{1,0}:a|") == [Event("a", "", {})]


def test_an_event_is_measured_in_bytes() -> None:
    assert parse("_e{6,3}:zwölf|x|y|t:info|#rule:a".encode()) == [Event("zwölf", "x|y", {"rule": "a"})]
    with pytest.raises(ValueError, match="lengths"):
        parse("_e{5,3}:zwölf|x|y|#rule:a".encode())


@given(st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_an_event_reads_back_whatever_its_text_holds(title: str, text: str) -> None:
    """A bar, a hash, a field's mark: the lengths alone say where the text ends."""
    shown = [part.replace("\n", "\\n").encode("utf-8", "replace") for part in (title, text)]

    (found,) = parse(b"_e{%d,%d}:%s|%s|#a:b" % (len(shown[0]), len(shown[1]), *shown))

    assert isinstance(found, Event)
    assert found.title == shown[0].decode().replace("\\n", "\n")
    assert found.text == shown[1].decode().replace("\\n", "\n")
    assert found.tags == {"a": "b"}


@pytest.mark.parametrize(
    "line",
    [
        b"_e{1}:a|b", b"_e{1,1}a|b", b"_e{a,1}:a|b", b"_e{-1,1}:a|b", b"_e{1,1}:a", b"_e{1,1}:a|", b"_e{2,1}:a|b",
        b"_e{1,2}:a|b", b"_e{1,1}:a|bc", b"_e{1,1}:a#b", b"_e{0,1}:|b", b"_e{99999999999999999999,1}:a|b",
        b"_e{1,1}:a|b|", b"_e{1,1}:a|b|x:1", b"_e{1,1}:a|b|p:high", b"_e{1,1}:a|b|t:bad", b"_e{1,1}:a|b|d:now",
        b"_e{1,1}:a|b|t:info|t:info", b"_e{1,1}:a|b|#", b"_e{1,1}:a|b|m:x", b"_e{1,1}:a|b|@1", b"_e{1,1}:\xff|b",
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=" in b"):
        parse(line)


# Service checks


def test_a_check_with_every_field_is_understood() -> None:
    line = rb"_sc|Redis connection|2|d:1700000000|h:web-1|#env:dev|m:timed out\nm\: after 10s"

    assert parse(line) == [
        ServiceCheck("Redis connection", 2, {"env": "dev"}, "timed out\nm: after 10s", "web-1", 1_700_000_000)
    ]


@pytest.mark.parametrize("status", range(4))
def test_a_check_needs_a_name_and_a_status_only(status: int) -> None:
    assert parse(b"_sc|a|%d" % status) == [ServiceCheck("a", status, {})]


def test_after_the_message_of_a_check_comes_its_origin_at_most() -> None:
    assert parse(b"_sc|a|0|m:x|c:ci-1|card:low") == [ServiceCheck("a", 0, {}, "x")]


@pytest.mark.parametrize(
    "line",
    [
        b"_sc", b"_sc|", b"_sc|a", b"_sc||0", b"_sc|a|4", b"_sc|a|OK", b"_sc|a|", b"_sc|a|00", b"_sc|a|0|m:x|#a:b",
        b"_sc|a|0|m:x|h:web", b"_sc|a|0|m:x|m:y", b"_sc|a|0|m:x|y", b"_sc|a|0|d:now", b"_sc|a|0|#", b"_sc|a|0|x:1",
        b"_sc|a|0|h:a|h:b", b"_sc|a|0|t:info", b"_sc|a|0|T5", b"_sc|a|0|#a:\xff",
    ],
)  # fmt: skip
def test_what_is_no_check_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=" in b"):
        parse(line)


# The catalogue


def told(line: bytes) -> Message:
    (found,) = parse(line)
    return found


@pytest.mark.parametrize(
    "line",
    [
        b"sentinel.request.count:1|c|#route:a,method:GET,status_class:2xx",
        b"sentinel.request.count:1|c|#env:prod,route:a,service:shop,method:GET,status_class:2xx,version:1",
        b"_sc|sentinel.database.can_connect|0",
        b"_sc|sentinel.redis.can_connect|2|#redis_host:a,redis_port:1|m:refused",
        b"_e{1,1}:a|b|#event:rules_changed",
        b"_e{1,1}:a|b|#event:gate_switched,mode:off,env:prod",
    ],
)
def test_what_the_catalogue_holds_passes(line: bytes) -> None:
    check(told(line))


@pytest.mark.parametrize(
    "line",
    [
        b"sentinel.request.counts:1|c|#route:a,method:GET,status_class:2xx",
        b"request.count:1|c|#route:a,method:GET,status_class:2xx",
        b"sentinel.request.count:1|g|#route:a,method:GET,status_class:2xx",
        b"sentinel.request.count:1|c|#route:a,method:GET",
        b"sentinel.request.count:1|c|#route:a,method:GET,status_class:2xx,ip:d",
        b"sentinel.request.count:1|c|#route:,method:GET,status_class:2xx",
        b"sentinel.request.count:1|c|#route:a,method:get,status_class:2xx",
        b"sentinel.request.count:1|c|#route:a,method:GET,status_class:200",
        b"_sc|sentinel.redis.can_connect|2|#redis_host:a",
        b"_sc|redis.can_connect|2|#redis_host:a,redis_port:1",
        b"_sc|sentinel.request.count|2|#route:a,method:GET,status_class:2xx",
        b"sentinel.database.can_connect:1|g",
        b"_e{1,1}:a|b",
        b"_e{1,1}:a|b|#event:other",
        b"_e{1,1}:a|b|#event:rules_changed,rule:a",
        b"_e{1,1}:a|b|#event:gate_switched,mode:on",
    ],
)
def test_what_is_not_in_the_catalogue_is_refused(line: bytes) -> None:
    found: Any = told(line)

    with pytest.raises(AssertionError):
        check(found)
