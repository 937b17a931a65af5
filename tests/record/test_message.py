"""A batch of events as it travels."""

from __future__ import annotations

import json

import pytest

from ip_tracking.record.message import VERSION, UnknownVersion, pack, unpack
from tests.traffic import event, failed_login


def test_events_survive_the_journey_as_json() -> None:
    events = [event(beyond=3), failed_login(user_agent="\U0001f600 \udc80 \x00 'quoted'\t"), event(staff=True)]

    assert unpack(json.loads(json.dumps(pack(events)))) == events


def test_a_message_that_was_under_way_during_an_upgrade_is_read() -> None:
    sent = event()
    of_version_1 = {"version": 1, "events": [list(sent[:-1])]}

    assert unpack(of_version_1) == [sent]


@pytest.mark.parametrize("version", [VERSION + 1, None, "1"])
def test_a_message_of_another_version_is_refused_by_name(version: object) -> None:
    with pytest.raises(UnknownVersion, match=repr(version)):
        unpack(pack([event()]) | {"version": version})
