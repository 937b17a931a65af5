"""The receiver the other tests believe."""

from __future__ import annotations

import pytest

from tests.dogstatsd import Event, Sample, ServiceCheck, check, parse


def test_a_line_with_every_field_is_understood() -> None:
    line = b"a.b:1:2.5:-3|d|@0.5|#route:x:y,method:get,flag|c:ci-1|e:it-false|card:low|T1700000000"

    (sample,) = parse(line)

    assert sample == Sample(
        name="a.b",
        type="distribution",
        values=(1.0, 2.5, -3.0),
        tags={"route": "x:y", "method": "get", "flag": ""},
        rate=0.5,
        container="ci-1",
        external="it-false",
        cardinality="low",
        timestamp=1_700_000_000,
    )


def test_a_packet_of_many_lines_is_understood() -> None:
    messages = parse("a:1|c\n_e{6,1}:zwölf|x\n_sc|redis.can_connect|2|#redis_host:a\nb:2|g\n".encode())

    assert [type(message) for message in messages[::3]] == [Sample, Sample]
    assert messages[2] == ServiceCheck("redis.can_connect", 2, {"redis_host": "a"})


def test_an_event_is_measured_in_bytes() -> None:
    assert parse("_e{6,3}:zwölf|x|y|t:info|#rule:a".encode()) == [Event("zwölf", "x|y", {"rule": "a"})]
    with pytest.raises(ValueError, match="lengths"):
        parse("_e{5,3}:zwölf|x|y|#rule:a".encode())


@pytest.mark.parametrize(
    "line",
    [
        b"a:nan|c", b"a:inf|g", b"a:True|c", b"a:|c", b"a|c", b"1a:1|c", b"a b:1|c", b"a:1|x", b"a:1|c|zzz",
        b"a:1|c|#bad tag", b"a:1|c|#a:1,a:2", b"a:1|c|#a:1|#b:2", b"a:1", "a:1|c|#ä:1".encode(),
        b"a:1|c|#a:" + b"x" * 200,
    ],
)  # fmt: skip
def test_what_is_not_the_protocol_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - float(), int() and our own
        parse(line)


@pytest.mark.parametrize(
    "line",
    [
        b"sentinel.request.counts:1|c|#route:a,method:b,status_class:c",
        b"request.count:1|c|#route:a,method:b,status_class:c",
        b"sentinel.request.count:1|g|#route:a,method:b,status_class:c",
        b"sentinel.request.count:1|c|#route:a,method:b",
        b"sentinel.request.count:1|c|#route:a,method:b,status_class:c,ip:d",
        b"sentinel.request.count:1|c|#route:,method:b,status_class:c",
    ],
)
def test_what_is_not_in_the_catalogue_is_refused(line: bytes) -> None:
    (sample,) = parse(line)

    assert isinstance(sample, Sample)
    with pytest.raises(AssertionError):
        check(sample)
