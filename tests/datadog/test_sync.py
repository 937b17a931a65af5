"""What `datadog_sync` makes of an account, by the real library over a real socket."""

from __future__ import annotations

import threading

import pytest
from pytest_django.fixtures import Settings

from metrics import catalogue
from metrics.datadog import assets
from metrics.datadog.account import Refused
from tests.datadog.conftest import Run
from tests.datadog.server import Datadog


def test_an_empty_account_gets_everything(datadog: Datadog) -> None:
    run = Run(datadog)

    assert run.sync.failures == []
    kinds = [asset.kind for asset in assets.every()]
    assert len(datadog.monitors) == kinds.count("monitor")
    assert len(datadog.slos) == kinds.count("slo") == 2
    assert [each["title"] for each in datadog.dashboards.values()] == ["Sentinel: the guarded API"]


def test_a_second_run_sends_nothing(seen: Datadog) -> None:
    Run(seen)

    run = Run(seen)

    assert run.writes == []
    assert run.said == []
    assert run.sync.done["same"] == len(assets.every()) + len(catalogue.ALL)


def test_a_dry_run_reads_and_sends_nothing(seen: Datadog) -> None:
    run = Run(seen, write=False)

    assert seen.writes == []
    assert "+ monitor redis-down: [Sentinel] Redis does not answer" in run.said
    assert "+ monitor api-5xx: [Sentinel] The API answers with errors" in run.said


def test_a_composite_names_its_parts_by_the_ids_they_got(datadog: Datadog) -> None:
    Run(datadog)

    parts = [datadog.keyed(datadog.monitors, key)["id"] for key in ("redis-hit-ratio-low", "enough-lookups")]
    assert datadog.keyed(datadog.monitors, "redis-hit-ratio")["query"] == f"{parts[0]} && {parts[1]}"


def test_what_was_changed_by_hand_is_shown_and_put_back(datadog: Datadog) -> None:
    Run(datadog)
    monitor = datadog.keyed(datadog.monitors, "redis-memory")
    monitor["options"]["thresholds"]["critical"] = 99
    monitor["name"] = "Renamed \x1b[2J by somebody"

    run = Run(datadog)

    assert run.writes == [("PUT", f"v1/monitor/{monitor['id']}")]
    assert f"~ monitor redis-memory ({monitor['id']})" in run.said
    assert "    options.thresholds.critical: 99 -> 90" in run.said
    assert "Renamed \\u001b[2J by somebody" in run.text
    assert monitor["options"]["thresholds"]["critical"] == 90


def test_what_others_added_to_ours_stays_unsaid(datadog: Datadog) -> None:
    Run(datadog)
    datadog.keyed(datadog.monitors, "redis-memory")["options"]["renotify_interval"] = 60

    run = Run(datadog)

    assert run.writes == []


def test_a_widget_changed_by_hand_is_named_by_its_place(datadog: Datadog) -> None:
    Run(datadog)
    (dashboard,) = datadog.dashboards.values()
    dashboard["widgets"][0]["definition"]["widgets"][1]["definition"]["title"] = "Mine"

    run = Run(datadog)

    assert '    widgets[0].definition.widgets[1].definition.title: "Mine" -> "Server errors"' in run.said
    assert [method for method, _ in run.writes] == ["PUT"]


def test_what_is_not_ours_is_left_alone(datadog: Datadog) -> None:
    """Others keep their monitors in code too, and name a key."""
    theirs = {"name": "Theirs", "type": "query alert", "query": "avg(last_5m):avg:a{*} > 1", "message": ""}
    theirs["options"] = {"thresholds": {"critical": 1}}
    for tags in (["managed-by:code", "key:x"], ["namespace:sentinel", "key:x"], ["namespace:shop", "managed-by:code"]):
        datadog.make_monitor({**theirs, "tags": tags}, {})
    datadog.make_slo({"name": "Theirs", "thresholds": [], "tags": ["namespace:sentinel", "key:x"]}, {})
    datadog.make_dashboard({"title": "Theirs", "description": "managed-by:code key:overview", "widgets": []}, {})
    datadog.make_dashboard({"title": "Ours?", "description": None, "widgets": []}, {})

    run = Run(datadog, prune=True)

    assert not [call for call in run.writes if call[0] in {"PUT", "DELETE"}]
    assert len([each for each in datadog.monitors.values() if each["name"] == "Theirs"]) == 3


def test_another_namespace_in_the_same_account_has_its_own(datadog: Datadog, settings: Settings) -> None:
    Run(datadog)
    settings.METRICS = {"STRICT": True, "NAMESPACE": "other"}

    run = Run(datadog, prune=True)

    assert {method for method, _ in run.writes} == {"POST"}
    assert len(datadog.dashboards) == 2


def test_lists_are_read_to_their_last_page(datadog: Datadog) -> None:
    """Ours lie behind a page and a half of monitors that have our tags and no key, and as many dashboards."""
    for number in range(150):
        plain = {"name": f"{number}", "type": "composite", "query": "", "options": {}, "message": ""}
        datadog.make_monitor({**plain, "tags": ["managed-by:code", "namespace:sentinel"]}, {})
        datadog.make_slo({"name": f"{number}", "thresholds": [], "tags": ["namespace:sentinel"]}, {})
        datadog.make_dashboard({"title": f"{number}", "description": "", "widgets": []}, {})
    Run(datadog)

    run = Run(datadog)

    assert run.writes == []
    assert run.sync.failures == []


def test_what_left_the_code_is_named_and_deleted_only_when_asked(datadog: Datadog) -> None:
    """A composite goes before its parts, as Datadog wants it."""
    Run(datadog)
    composite = datadog.keyed(datadog.monitors, "redis-hit-ratio")
    part = datadog.keyed(datadog.monitors, "redis-hit-ratio-low")
    composite["tags"] = ["managed-by:code", "namespace:sentinel", "key:old-ratio"]
    part["tags"] = ["managed-by:code", "namespace:sentinel", "key:old-part"]

    told = Run(datadog)
    pruned = Run(datadog, prune=True)

    assert not [call for call in told.writes if call[0] == "DELETE"]
    assert (
        f"- monitor old-ratio ({composite['id']}) [Sentinel] Redis finds too few keys: no longer in code; " in told.text
    )
    assert pruned.writes == [("DELETE", f"v1/monitor/{composite['id']}"), ("DELETE", f"v1/monitor/{part['id']}")]
    assert pruned.sync.failures == []


def test_a_dry_run_prunes_nothing(datadog: Datadog) -> None:
    Run(datadog)
    datadog.keyed(datadog.slos, "latency")["tags"] = ["managed-by:code", "namespace:sentinel", "key:old"]

    run = Run(datadog, write=False, prune=True)

    assert run.writes == []
    assert "- slo old" in run.text


def test_two_of_ours_with_one_key_are_left_for_a_person(datadog: Datadog) -> None:
    """A clone made in the browser has the tags of the first; which one is meant, nobody can know."""
    Run(datadog)
    first = datadog.keyed(datadog.monitors, "redis-memory")
    clone = datadog.make_monitor({**first, "type": "query alert", "name": "A clone"}, {})
    first["name"] = "Changed too"

    run = Run(datadog, prune=True)

    assert run.writes == []
    assert run.sync.failures == ["monitor redis-memory"]
    assert f"({first['id']}, {clone['id']})" in run.text


def test_one_refusal_does_not_stop_the_rest_and_the_next_run_completes_it(seen: Datadog) -> None:
    seen.fail("POST", "v1/monitor", 400, body='{"errors": ["The value provided for parameter \'query\' is invalid"]}')

    first = Run(seen)
    second = Run(seen)

    # The first monitor that is sent is a part of three composites.
    assert first.sync.failures == [
        "monitor enough-requests",
        *(f"monitor {key}" for key in ("api-5xx", "api-latency", "block-surge")),
    ]
    assert "! monitor enough-requests: 400, The value provided for parameter 'query' is invalid" in first.said
    assert "! monitor api-5xx: a part of it is not there." in first.said
    assert second.sync.failures == []
    assert len(second.writes) == 4
    assert Run(seen).writes == []


def test_a_rate_limit_is_waited_for_as_long_as_it_says(datadog: Datadog) -> None:
    datadog.fail("POST", "v1/monitor", 429, times=2, headers={"X-RateLimit-Reset": "17"})

    run = Run(datadog)

    assert run.waits == [17, 17]
    assert run.sync.failures == []
    assert len(datadog.monitors) == len([asset for asset in assets.every() if asset.kind == "monitor"])


def test_a_rate_limit_that_does_not_end_is_given_up(datadog: Datadog) -> None:
    datadog.fail("POST", "v1/slo", 429, times=1_000, headers={"X-RateLimit-Reset": "60"})

    run = Run(datadog)

    assert sum(run.waits) <= 2 * 300
    assert run.sync.failures == ["slo availability", "slo latency"]
    assert datadog.dashboards


def test_an_unwell_server_is_asked_again_after_growing_pauses(datadog: Datadog) -> None:
    Run(datadog)
    datadog.keyed(datadog.monitors, "redis-memory")["name"] = "Changed"
    datadog.fail("GET", "v1/slo", 503, body="<html>Bad Gateway</html>")
    datadog.fail("PUT", r"v1/monitor/\d+", 500, times=3)

    run = Run(datadog)

    assert run.waits == [1, 1, 2, 4]
    assert run.sync.failures == []


def test_a_creation_whose_answer_was_lost_is_not_made_twice(datadog: Datadog) -> None:
    datadog.fail("POST", "v1/slo", 502, done_all_the_same=True)

    first, second = Run(datadog), Run(datadog)

    assert first.sync.failures == ["slo availability"]
    assert "It may have been made all the same: another run looks first." in first.text
    assert second.sync.failures == []
    assert len(datadog.slos) == 2


def test_more_than_three_timeouts_do_not_silence_the_library(datadog: Datadog) -> None:
    """By itself it refuses to call for five minutes after three."""
    until = threading.Event()
    datadog.fail("POST", "v1/slo", 0, times=2, until=until)
    datadog.fail("GET", "v1/metrics/.*", 0, times=3, until=until)

    run = Run(datadog, timeout_s=0.5)
    until.set()

    assert run.sync.failures == ["slo availability", "slo latency"]
    assert "did not answer in time." in run.text
    assert datadog.dashboards
    assert run.sync.done["not seen yet"] == len(catalogue.ALL)


def test_a_server_that_stays_away_is_not_waited_for_by_each_of_a_hundred(datadog: Datadog) -> None:
    datadog.fail("GET", "v1/metrics/.*", 503, times=10_000)

    run = Run(datadog)

    assert len(run.sync.failures) == 3
    assert run.sync.done["not tried"] == len(catalogue.ALL) - 3
    assert sum(run.waits) == 3 * 7


def test_wrong_keys_end_the_run_before_anything_is_sent(datadog: Datadog) -> None:
    datadog.fail("GET", "v1/monitor", 403, body='{"errors": ["Forbidden"]}')

    with pytest.raises(Refused, match=r"403, Forbidden. Do DD_API_KEY and DD_APP_KEY belong to the account at http"):
        Run(datadog)

    assert datadog.writes == []


def test_keys_are_not_sent_where_a_redirect_leads(datadog: Datadog) -> None:
    datadog.fail("GET", "v1/monitor", 301, headers={"Location": f"{datadog.host}/api/v1/elsewhere"}, body="")

    with pytest.raises(Refused, match="redirects elsewhere"):
        Run(datadog)

    assert datadog.calls == [("GET", "v1/monitor")]


def test_metrics_are_described_once_datadog_has_seen_them(datadog: Datadog) -> None:
    before = Run(datadog)
    datadog.metrics["sentinel.request.count"] = {"type": "rate", "unit": None}

    Run(datadog)

    assert before.sync.done["not seen yet"] == len(catalogue.ALL)
    assert datadog.metrics["sentinel.request.count"] == {
        "type": "rate",
        "unit": "request",
        "description": catalogue.REQUESTS.meaning,
        "statsd_interval": 10,
    }


def test_percentiles_are_enabled_where_a_query_asks_them_and_no_tag_is_lost(seen: Datadog) -> None:
    """A list of tags to keep, which the API takes first, would hide the host and the environment."""
    seen.tag_configurations["sentinel.redis.ping_duration"] = {"tags": ["env"], "include_percentiles": False}

    Run(seen)

    assert sorted(seen.tag_configurations) == assets.with_percentiles(assets.every())
    fresh = {"metric_type": "distribution", "tags": [], "exclude_tags_mode": True, "include_percentiles": True}
    assert seen.tag_configurations["sentinel.request.duration"] == fresh
    assert seen.tag_configurations["sentinel.redis.ping_duration"] == {"tags": ["env"], "include_percentiles": True}


def test_what_datadog_keeps_in_another_way_is_said(datadog: Datadog) -> None:
    """Else each run would send it again without a word of why."""
    Run(datadog)
    monitor = datadog.keyed(datadog.monitors, "redis-memory")
    monitor["message"] = "Changed"
    datadog.fail("PUT", r"v1/monitor/\d+", 200, done_all_the_same=True, body='{"message": "Cut"}')

    run = Run(datadog)

    assert "    Datadog kept this in another way; each run will show and send it again:" in run.said
