"""`manage.py what_if`: the command as people and pipes use it."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from ip_tracking.detection.symptoms import symptoms_of
from ip_tracking.event import to_datetime
from ip_tracking.gate import decisions, store
from ip_tracking.record import buffer, storage
from tests.traffic import NOON, event, failed_login, good_login

pytestmark = pytest.mark.django_db

UNTIL = ("--until", (NOON + timedelta(hours=1)).isoformat(), "--hours", "2")
HALF = """site={"rates": ["3/m"]}"""


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def log(*events):
    storage.store(str(uuid4()), list(events), symptoms_of, NOON)


def what_if(*arguments: str) -> str:
    out = io.StringIO()
    call_command("what_if", *arguments, stdout=out)
    return out.getvalue()


def report(*arguments: str):
    return json.loads(what_if("--format", "json", *UNTIL, *arguments))


def missing(path: str, second: float, **fields):
    return event(NOON + s(second), path=path, route="", status=404, **fields)


def test_json_says_who_would_be_newly_refused_and_who_of_them_buys():
    log(
        *(event(NOON + s(n), user="7", network="198.51.100.7") for n in range(4)),
        event(NOON + s(4), user="7", outcome="payment_ok", path="/pay", query="a=1", network="198.51.100.8"),
        event(NOON + s(5)),
    )

    found = report("--policy", HALF)

    assert list(found) == [
        "from", "to", "rows", "seconds", "rows_per_second", "rules", "policies", "notes",
    ]  # fmt: skip
    assert (found["from"], found["to"]) == ("2026-03-02T11:00:00+00:00", "2026-03-02T13:00:00+00:00")
    assert (found["rows"], found["rules"]) == (6, {"newly_flagged": [], "no_longer": []})
    hit = found["policies"]["site"]["newly_refused"]
    assert (hit["requests"], hit["networks"], hit["users"], hit["good_payments"]) == (2, 2, 1, 1)
    assert hit["examples"][1]["network"] == "198.51.100.8"
    assert hit["examples"][1]["request"] == "GET /pay?a=1 200"
    assert found["policies"]["site"]["no_longer"] == {
        "requests": 0, "networks": 0, "users": 0, "good_payments": 0, "examples": [],
    }  # fmt: skip


def test_a_wider_limit_lets_exactly_those_through_whom_the_living_door_refused(tracking):
    tracking(POLICIES={"site": {"rates": ["3/m"]}})
    statuses = [Client(REMOTE_ADDR="203.0.113.9").get("/api/v1/categories/").status_code for _ in range(5)]
    living = buffer.take()
    log(*living)
    until = to_datetime(living[-1].at_us) + s(60)

    found = json.loads(what_if("--policy", 'site={"rates": ["4/m"]}', "--until", until.isoformat(), "--format", "json"))

    assert statuses == [200, 200, 200, 429, 429]
    freed = found["policies"]["site"]["no_longer"]
    assert [example["request_id"] for example in freed["examples"]] == [living[3].request_id]
    assert found["policies"]["site"]["newly_refused"]["requests"] == 0
    assert any(note.startswith("2 requests had been refused by a limit") for note in found["notes"])


def test_good_logins_give_their_place_back_and_wrong_ones_do_not():
    log(
        *(good_login(NOON + s(n), account="ada")._replace(duration_us=1_000) for n in range(5)),
        *(failed_login(NOON + s(10 + n), account=f"a{n}") for n in range(4)),
    )

    hit = report("--policy", 'login={"rates": ["3/m"]}')["policies"]["login"]["newly_refused"]

    assert hit["requests"] == 1


def test_logins_in_flight_hold_their_places():
    """Four at once, each good in the end: the fourth finds three taken, whatever became of them later."""
    slow = [good_login(NOON + s(n / 10), account=f"a{n}")._replace(duration_us=2_000_000) for n in range(4)]
    log(*slow)

    hit = report("--policy", 'login={"rates": ["3/m"]}')["policies"]["login"]["newly_refused"]

    assert [example["request_id"] for example in hit["examples"]] == [slow[3].request_id]


def test_what_was_refused_before_its_view_is_replayed_as_a_failure():
    log(
        *(event(NOON + s(n), account="ada", refused="login", status=429) for n in range(4)),
        *(event(NOON + s(n), kind="payment", refused="payment", status=429, user="7") for n in range(4)),
    )

    found = report("--policy", 'login={"rates": ["3/m"]}', "--policy", 'payment-declines={"rates": ["2/m"]}')

    assert found["policies"]["login"]["newly_refused"]["requests"] == 1
    assert found["policies"]["payment-declines"]["newly_refused"]["requests"] == 2


def test_an_account_is_counted_from_wherever_it_is_named():
    log(*(failed_login(NOON + s(n), network=f"203.0.113.{n}", account="ada") for n in range(4)))

    found = report("--policy", 'login-account={"rates": ["3/15m"]}')

    assert found["policies"]["login-account"]["newly_refused"]["requests"] == 1
    assert any("device" in note for note in found["notes"])


def test_a_value_of_the_url_is_counted():
    new = 'looks={"rates": ["2/m"], "kinds": ["catalogue"], "key": "url:slug"}'
    query = 'looks={"rates": ["2/m"], "kinds": ["catalogue"], "key": "url:q"}'
    shown = {"route": "shop:product-detail", "kind": "catalogue", "query": "q=oak"}
    log(
        *(event(NOON + s(n), f"203.0.113.{n}", path="/api/v1/products/lamp/", **shown) for n in range(3)),
        event(NOON + s(4), path="/api/v1/products/desk/", **shown),
    )

    by_slug, by_query = (report("--policy", row)["policies"]["looks"]["newly_refused"] for row in (new, query))

    assert (by_slug["requests"], by_query["requests"]) == (1, 2)


def test_a_query_that_cannot_be_read_counts_as_it_does_at_the_door(settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10
    log(*(event(NOON + s(n), f"203.0.113.{n}", query="\ufffd" + f"&{n}=x" * 20) for n in range(3)))

    found = report("--policy", 'looks={"rates": ["2/m"], "routes": ["*"], "key": "url:q"}')

    assert found["policies"]["looks"]["newly_refused"]["requests"] == 1


def test_the_time_before_the_period_fills_its_windows_and_is_not_counted():
    start = NOON - timedelta(hours=1)
    log(*(event(start - s(10 - n)) for n in range(5)), event(start + s(1)))

    found = report("--policy", HALF)

    assert (found["rows"], found["policies"]["site"]["newly_refused"]["requests"]) == (1, 1)


def test_a_window_of_centuries_is_no_reason_to_wait():
    log(*(event(NOON + s(n)) for n in range(4)))

    found = report("--policy", 'site={"rates": ["3/99999d"]}')

    assert found["policies"]["site"]["newly_refused"]["requests"] == 1


def test_what_a_decision_refused_and_who_is_allowed_now_are_left_out(tracking):
    decisions.decide("allow", "198.51.100.0/24", until=None, reason="x", actor="x", by_person=True, now=NOON)
    log(
        *(event(NOON + s(n), refused="block", status=403) for n in range(5)),
        *(event(NOON + s(n), "198.51.100.7") for n in range(6)),
        *(event(NOON + s(n), kind="health", route="healthz") for n in range(7)),
    )

    found = report("--policy", HALF)

    assert found["policies"]["site"]["newly_refused"]["requests"] == 0
    assert any(note.startswith("5 requests that a block or throttle") for note in found["notes"])
    assert any(note.startswith("6 requests of networks that are allowed") for note in found["notes"])


def test_a_dropped_policy_and_one_in_shadow_refuse_nobody(tracking):
    tracking(POLICIES={"site": {"rates": ["3/m"]}})
    log(*(event(NOON + s(n)) for n in range(5)))

    dropped, shadowed = report("--policy", "site=null"), report("--policy", 'site={"mode": "shadow"}')

    assert [found["policies"]["site"]["no_longer"]["requests"] for found in (dropped, shadowed)] == [2, 2]
    assert any("in shadow" in note for note in shadowed["notes"])


def test_what_the_log_cannot_know_is_left_out_of_both_tables_by_name(tracking):
    tracking(POLICIES={"vouchers": {"rates": ["1/m"], "routes": ["*"], "key": "body:voucher", "why": "x"}})
    log(*(event(NOON + s(n)) for n in range(4)))

    found = report("--policy", HALF)

    assert found["policies"]["site"]["newly_refused"]["requests"] == 1
    left_out = [note for note in found["notes"] if note.startswith("Left out of both tables")]
    assert any("'vouchers' counts by body:voucher" in note for note in left_out)
    assert any("'login-device' counts by a device's cookie" in note for note in left_out)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ('login-device={"rates": ["1/h"]}', "'login-device' counts by a device's cookie"),
        ('site={"key": "body:sku"}', "'site' counts by body:sku, and the log keeps no bodies"),
        ('site={"key": "url:api_key"}', "'site' counts by url:api_key, which the log redacts"),
        ('site={"key": "shop.accounts.tokens.caller_id"}', "by the function shop.accounts.tokens.caller_id"),
        ("site", "has no '='"),
        ("site={rates}", "is no JSON"),
        ("site=[1]", "is no JSON object"),
        ('site={"rates": ["fast"]}', "rate 'fast' is not a number per time"),
        ('site={"rate": ["1/m"]}', "has no field 'rate'"),
        ('sitte={"rates": ["1/m"]}', "There is no policy 'sitte'; did you mean 'site'?"),
    ],
)
def test_a_policy_that_cannot_be_tried_is_refused_with_why(changed, why):
    with pytest.raises(CommandError) as refusal:
        what_if("--policy", changed)

    assert why in str(refusal.value)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ("probing", "is no rule.field=value"),
        ("probbing.threshold=6", "There is no burst rule 'probbing'; did you mean 'probing'?"),
        ("distributed-login.threshold=6", "the hourly sweep"),
        ("probing.threshold=0", "'0' is no whole number from 1 on"),
        ("probing.title=x", "'title' does not decide who is flagged"),
        ("probing.severity=bad", "write one of low, medium, high, critical"),
        ("probing.symptom=new", "a new one is in no row"),
        ("probing.symptom=page", "a new one is in no row"),
        ("crawling.threshold=20", "counts pages, which is no symptom that a row keeps"),
    ],
)
def test_a_rule_that_cannot_be_tried_is_refused_with_why(changed, why):
    with pytest.raises(CommandError) as refusal:
        what_if("--rule", changed)

    assert why in str(refusal.value)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "There is nothing to try"),
        (("--policy", HALF, "--hours", "0"), "--hours 0 is no period"),
        (("--policy", HALF, "--until", "yesterday"), "write 2026-11-27T20:00Z"),
        (("--policy", HALF, "--until", "2026-13-27T20:00Z"), "write 2026-11-27T20:00Z"),
        (("--policy", HALF, "--until", "2026-11-27T20:00"), "no time with its zone"),
        (("--policy", HALF, "--until", "0001-01-01T00:00Z"), "write 2026-11-27T20:00Z"),
        (("--policy", HALF), "No request is stored from"),
        (("--policy", HALF, "--store", "unix:///none.sock", *UNTIL), "--store redis://"),
        (("--policy", HALF, "--store", "none", *UNTIL), "--store redis://"),
    ],
)
def test_other_bad_input_is_refused_with_what_would_be_right(arguments, why):
    if UNTIL[0] in arguments:
        log(event(NOON))

    with pytest.raises(CommandError) as refusal:
        what_if(*arguments)

    assert why in str(refusal.value)


def test_a_stricter_rule_flags_more_and_says_who_is_among_them():
    paths = [missing(f"/{name}/", n) for n, name in enumerate("abcdef")]
    log(*paths, event(NOON + s(30), user="7", outcome="payment_ok"), missing("/x/", 3, network="198.51.100.7"))

    found = report("--rule", "probing.threshold=6")

    [flag] = found["rules"]["newly_flagged"]
    assert (flag["network"], flag["rules"], flag["severity"], flag["count"]) == (
        "203.0.113.9",
        ["probing"],
        "medium",
        6,
    )
    assert (flag["requests"], flag["users"], flag["good_payments"]) == (7, 1, 1)
    assert (flag["first_seen"], flag["last_seen"]) == ("2026-03-02T12:00:00+00:00", "2026-03-02T12:00:05+00:00")
    assert flag["examples"][0] == "GET /a/ 404"
    assert (found["rules"]["no_longer"], found["policies"]) == ([], {})


@pytest.mark.parametrize("laxer", ["probing.threshold=11", "probing.window_s=5", "probing.severity=low"])
def test_a_laxer_rule_no_longer_flags(laxer):
    log(*(missing(f"/{name}/", n) for n, name in enumerate("abcdefghij")))

    found = report("--rule", laxer)

    assert [flag["network"] for flag in found["rules"]["no_longer"]] == ["203.0.113.9"]
    assert found["rules"]["newly_flagged"] == []


def test_whom_another_rule_flags_anyway_is_no_difference():
    log(*(missing(f"/{name}/", n) for n, name in enumerate("abcdef")), missing("/.env", 7), missing("/.git/config", 8))

    found = report("--rule", "probing.threshold=6")

    assert found["rules"]["newly_flagged"] == []


def test_a_window_that_ended_before_the_period_flags_nobody_and_one_that_ends_in_it_does():
    start = NOON - timedelta(hours=1)
    before = [event(start - s(60 - n), path=f"/{n}a/", route="", status=404) for n in range(6)]
    across = [event(start - s(3 - n), "198.51.100.7", path=f"/{n}a/", route="", status=404) for n in range(6)]
    log(*before, *across)

    found = report("--rule", "probing.threshold=6")

    assert [flag["network"] for flag in found["rules"]["newly_flagged"]] == ["198.51.100.7"]


def test_a_person_reads_a_table_that_no_request_can_write_into():
    log(
        *(event(NOON + s(n), path="/\x1b[2J\u202e", user="7") for n in range(4)),
        *(missing(f"/{name}/", n) for n, name in enumerate("abcdef")),
    )

    told = what_if(*UNTIL, "--policy", HALF, "--rule", "probing.threshold=6")

    assert "10 requests from 2026-03-02 11:00 to 2026-03-02 13:00 UTC, replayed in" in told
    assert "policy site\n  newly refused: 4 requests, 1 networks, 1 known users, 0 good payments\n" in told
    assert "    2026-03-02T12:00:03 203.0.113.9 (user 7) GET /\\x1b[2J\\u202e 200\n" in told
    assert "  no longer: nobody" in told
    assert "  newly flagged: 1 networks\n    203.0.113.9 medium: probing (6); 10 requests" in told
    assert "note: Left out of both tables: policy 'login-device'" in told


def test_nothing_is_left_on_the_store_and_nothing_there_was_touched():
    client = store.get().client
    Client(REMOTE_ADDR="203.0.113.9").get("/api/v1/categories/")
    before = {key: client.dump(key) for key in client.keys("*")}
    log(*(event(NOON + s(n)) for n in range(5)))

    report("--policy", HALF)

    assert {key: client.dump(key) for key in client.keys("*")} == before
    assert before
