"""`@limited`: on every way to write a view, at the door where the door sees it, inside where it does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import RequestFactory
from django.views import View

from ip_tracking.checks import marks_name_policies
from ip_tracking.decorators import limited, marks_of
from ip_tracking.gate import decisions, store
from tests.urls_limited import plain

SEEN = [
    "/plain/", "/plain-async/", "/decorated/", "/method/", "/method-async/", "/adapted/", "/dispatch/",
    "/dispatch-async/", "/rest/", "/rest-by-attribute/", "/api-outside/", "/viewset/", "/viewset/latest/",
    "/viewset/oldest/",
]  # fmt: skip
HIDDEN = ["/hidden/", "/hidden-async/", "/api-inside/"]


@pytest.fixture(autouse=True)
def _door(settings, policies):
    settings.ROOT_URLCONF = "tests.urls_limited"
    policies(exports={})


@pytest.fixture
def policies(tracking):
    """`policies(exports={"key": "user"})` over two a minute for each network."""

    def put(**rows: dict[str, Any]) -> None:
        given = {name: {"rates": ["2/m"], "key": "network", "why": "for a test"} | row for name, row in rows.items()}
        tracking(KINDS={"health": "health", "healthz": "health"}, OUTCOMES={}, POLICIES=given)

    return put


def counters() -> dict[bytes, bytes]:
    """Each counter with how many it holds: its first four bytes."""
    client = store.get().client
    return {key.rsplit(b":", 1)[1]: client.get(key)[:4] for key in client.keys("sentinel:{*")}


@pytest.mark.parametrize("page", SEEN + HIDDEN)
def test_a_marked_view_is_limited(http, page):
    statuses = [http.get(page).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


@pytest.mark.parametrize("page", SEEN)
def test_a_mark_in_view_of_the_door_costs_no_round_trip_of_its_own(http, scripts_run, page):
    before = scripts_run()

    http.get(page)

    assert scripts_run() - before == 1


@pytest.mark.parametrize("page", HIDDEN)
def test_a_hidden_mark_costs_a_second_round_trip(http, scripts_run, page):
    before = scripts_run()

    http.get(page)

    assert scripts_run() - before == 2


@pytest.mark.parametrize(("page", "calls"), [("/plain/LAMP/", 2), ("/hidden/LAMP/", 2)])
def test_a_mark_counted_by_a_value_costs_one_call_for_the_value(http, policies, scripts_run, page, calls):
    """Inside the view the network is not asked about once more."""
    policies(exports={"key": "url:sku"})
    before = scripts_run()

    statuses = [http.get(page).status_code, *[http.get("/plain/DESK/").status_code for _ in range(3)]]

    assert statuses == [200, 200, 200, 429]
    assert scripts_run() - before == calls + 3 * 2 + 1  # the refusal gives the network's place back


def test_both_of_two_marks_count(http, policies):
    policies(exports={"rates": ["5/m"]}, reports={"rates": ["1/m"]})

    passed, refused = http.get("/twice/"), http.get("/twice/")

    assert (passed.status_code, refused.status_code) == (200, 429)
    assert json.loads(refused.content)["violated-policies"] == ["reports"]


@pytest.mark.parametrize("page", ["/twice/", "/twice-hidden/"])
@pytest.mark.parametrize("strict", ["exports", "reports"])
def test_a_refusal_leaves_every_policy_as_it_was(http, policies, page, strict):
    policies(**{"exports": {"rates": ["9/m"]}, "reports": {"rates": ["9/m"]}, strict: {"rates": ["1/m"]}})
    http.get(page)
    before = counters()

    statuses = [http.get(page).status_code for _ in range(3)]

    assert statuses == [429] * 3
    assert before == counters()
    assert set(before) == {b"site", b"exports", b"reports"}


@pytest.mark.parametrize("page", ["/plain/", "/hidden/"])
def test_a_view_that_the_policy_covers_anyway_is_counted_once(http, policies, page):
    policies(exports={"routes": ["plain", "hidden"]})

    http.get(page)

    assert counters()[b"exports"] == b"\x00\x00\x00\x01"


def test_a_refusal_inside_answers_as_one_at_the_door(http):
    answers = {}
    for page in ("/plain/", "/hidden/"):
        store.get().client.flushdb()
        answers[page] = [http.get(page) for _ in range(3)][-1]

    at_door, inside = answers["/plain/"], answers["/hidden/"]

    def without_id(answer: Any) -> dict[str, Any]:
        return json.loads(answer.content) | {"instance": ""}

    assert without_id(at_door) == without_id(inside)
    assert set(inside.headers) >= set(at_door.headers)
    for field in ("Content-Type", "Cache-Control", "Retry-After"):
        assert inside[field] == at_door[field]
    assert '"exports";r=0' in inside["RateLimit"]
    assert '"exports";q=2;w=60' in inside["RateLimit-Policy"]


@pytest.mark.parametrize("page", ["/plain/", "/hidden/"])
def test_what_is_left_is_told_with_what_passed(http, page):
    assert '"exports";r=1;t=60' in http.get(page)["RateLimit"]


def test_a_mark_on_one_method_limits_no_other(http):
    statuses = [http.post("/method/").status_code for _ in range(4)]

    assert statuses == [200] * 4


@pytest.mark.parametrize("page", ["/plain/", "/hidden/"])
def test_a_policy_for_some_methods_counts_no_other_where_it_is_a_mark_too(http, policies, page):
    policies(exports={"methods": ["POST"]})

    looked = [http.get(page).status_code for _ in range(4)]
    posted = [http.post(page).status_code for _ in range(3)]

    assert (looked, posted) == ([200] * 4, [200, 200, 429])


@pytest.mark.parametrize("page", ["/plain/", "/hidden/"])
def test_only_failures_cost_where_only_failures_count(http, policies, tracking, page):
    policies(exports={"counts": "failures"})
    tracking(KINDS={page.strip("/"): "payment"})

    good = [http.get(page).status_code for _ in range(5)]
    bad = [http.get(f"{page}?status=402").status_code for _ in range(3)]

    assert (good, bad) == ([200] * 5, [402, 402, 429])


@pytest.mark.parametrize("page", ["/plain/", "/hidden/"])
def test_a_policy_in_shadow_counts_and_refuses_nobody(http, policies, page):
    policies(exports={"mode": "shadow"})

    answers = [http.get(page) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert "exports" not in answers[-1]["RateLimit-Policy"]
    assert counters()[b"exports"] == b"\x00\x00\x00\x02"


@pytest.mark.parametrize("page", ["/plain/", "/hidden/", "/unknown/"])
def test_a_policy_that_is_off_or_unknown_costs_nothing_and_breaks_nothing(http, policies, scripts_run, page):
    """A system check names the mark that no policy answers to."""
    policies(exports={"mode": "off"})
    before = scripts_run()

    statuses = [http.get(page).status_code for _ in range(4)]

    assert statuses == [200] * 4
    assert scripts_run() - before == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", ["/plain/", "/hidden/"])
def test_an_allowed_network_is_exempt(http, page):
    now = datetime.now(UTC)
    decisions.decide(
        "allow", "127.0.0.1", until=now + timedelta(hours=1), reason="a test", actor="dana", by_person=True, now=now
    )
    decisions.refresh()

    statuses = [http.get(page).status_code for _ in range(4)]

    assert statuses == [200] * 4


def test_health_is_exempt_even_where_it_is_marked(http):
    assert [http.get("/health/").status_code for _ in range(4)] == [200] * 4


@pytest.mark.parametrize("page", ["/plain/", "/hidden/"])
def test_a_store_that_is_away_is_answered_by_the_policy(http, policies, tracking, page):
    policies(exports={"store_away": "closed"})
    tracking(STORE_URL="unix:///nowhere.sock")

    assert http.get(page).status_code == 503


def test_outside_the_door_everybody_passes():
    """A view called by its own test."""
    statuses = [plain(RequestFactory().get("/")).status_code for _ in range(4)]

    assert statuses == [200] * 4


def test_a_view_that_cannot_be_remembered_is_served(http):
    assert http.get("/unhashable/").status_code == 200


def test_head_is_counted_where_get_is_marked(http):
    statuses = [http.send("HEAD", "/method/").status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


@pytest.mark.parametrize("names", [(), (plain,), (["exports"],)])
def test_a_mark_without_a_name_is_refused_where_it_is_written(names):
    with pytest.raises(TypeError, match=r'write @limited\("exports"\)'):
        limited(*names)


def test_a_mark_on_a_class_is_refused_with_what_to_write():
    with pytest.raises(TypeError, match=r"write limited_by = \['exports'\] in Page"):

        @limited("exports")
        class Page(View):
            pass


def test_a_class_that_names_what_no_policy_is_called_is_a_check_error(policies):
    policies(reports={})

    found = {message.msg for message in marks_name_policies()}

    assert "@limited('no-such-policy') names a policy that is not in the table." in found
    assert "@limited('of-a-class') names a policy that is not in the table." in found


def test_marks_are_read_from_a_list_or_a_word():
    class ByList(View):
        limited_by = ["exports", "reports"]

    class ByWord(View):
        limited_by = "exports"

    assert marks_of(ByList.as_view(), "GET") == {"exports", "reports"}
    assert marks_of(ByWord.as_view(), "GET") == {"exports"}
