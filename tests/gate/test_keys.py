"""What a policy counts by, in the request: read at the door, the same for every spelling, free for nobody."""

from __future__ import annotations

import functools
import json
import random
import re
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from ip_tracking.conf import BadSetting
from ip_tracking.gate import store
from ip_tracking.gate.body import MOST_BODY_BYTES, TOO_MUCH
from ip_tracking.gate.keys import MOST_VALUES, reader_of, tag_of
from ip_tracking.gate.policies import SHIPPED, parse_policy
from ip_tracking.record import buffer
from metrics import client, emit
from tests.dogstatsd import udp_receiver
from tests.metrics.conftest import send_to
from tests.urls_keys import awaited, coupon_in_body

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
TYPES = [
    JSON,
    FORM,
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain",
    "",
    JSON + "; charset=utf-7",
]

LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text()
DOCUMENTS = st.deferred(
    lambda: LEAVES | st.lists(DOCUMENTS) | st.dictionaries(st.sampled_from(["items", "sku", "x"]), DOCUMENTS)
)

KINDS = {"plain": "coupon", "plain-async": "coupon", "rest": "coupon", "item": "coupon"}


@pytest.fixture(autouse=True)
def _door(settings):
    settings.ROOT_URLCONF = "tests.urls_keys"


@pytest.fixture
def policies(tracking):
    """The table for one test, and nothing shipped: `policies(sku={"key": "url:sku"})`."""

    def put(**rows: dict[str, Any]) -> None:
        given = {name: {"rates": ["2/m"], "routes": ["*"], "why": "for a test"} | row for name, row in rows.items()}
        others = {name: None for name in SHIPPED if name != "site"}
        tracking(KINDS=KINDS, OUTCOMES={}, POLICIES=others | given)

    return put


def read(key: str, request: Any, **arguments: Any) -> list[str]:
    reader = reader_of(key)
    assert reader is not None
    return sorted(reader(request, arguments))


def posted(body: bytes | str, content_type: str = JSON, method: str = "POST") -> Any:
    return RequestFactory().generic(method, "/", body, content_type)


# Where values are


def test_a_value_of_the_route_stands_before_one_of_the_query():
    request = RequestFactory().get("/?sku=LAMP")

    assert read("url:sku", request, sku="DESK") == ["DESK"]
    assert read("url:sku", request) == ["LAMP"]


def test_every_repetition_in_a_query_counts():
    """The view may read the first or the last of them."""
    assert read("url:sku", RequestFactory().get("/?sku=LAMP&sku=DESK&sku=LAMP&sku=")) == ["DESK", "LAMP"]


def test_a_query_of_too_many_fields_counts_as_too_much():
    assert read("url:sku", RequestFactory().get("/?" + "a&" * 1_001)) == [TOO_MUCH]


@pytest.mark.parametrize(
    ("key", "body", "values"),
    [
        ("body:coupon", {"coupon": "HALF"}, ["HALF"]),
        ("body:items.sku", {"items": [{"sku": "LAMP"}, {"sku": "DESK"}, {"sku": "LAMP"}]}, ["DESK", "LAMP"]),
        ("body:items.sku", {"items": [[{"sku": ["LAMP"]}], {"sku": [["DESK"]]}]}, ["DESK", "LAMP"]),
        ("body:sku", [{"sku": "LAMP"}, {"sku": "DESK"}], ["DESK", "LAMP"]),
        ("body:order.id", {"order": {"id": 17}}, ["17"]),
        ("body:coupon", {"coupon": None}, []),
        ("body:coupon", {"coupon": ""}, []),
        ("body:coupon", {"order": 1}, []),
        ("body:coupon", "HALF", []),
        ("body:coupon", {"coupon": {"$ne": 1}}, [TOO_MUCH]),
    ],
)
def test_a_value_of_a_json_body_is_found_through_lists(key, body, values):
    assert read(key, posted(json.dumps(body))) == values


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_value_of_a_form_is_found_whatever_the_method(method):
    assert read("body:coupon", posted("a=1&coupon=HALF&coupon=OFF", FORM, method)) == ["HALF", "OFF"]


@pytest.mark.parametrize("field", ["items[0]sku", "items[0].sku", "items.sku"])
def test_a_form_may_spell_a_list_as_rest_framework_reads_it(field):
    assert read("body:items.sku", posted(f"{field}=LAMP", FORM)) == ["LAMP"]


def test_a_value_beside_a_file_is_found():
    file = SimpleUploadedFile("proof.txt", b"a picture")

    assert read("body:coupon", RequestFactory().post("/", {"coupon": "HALF", "proof": file})) == ["HALF"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_no_body_is_no_value(method):
    assert read("body:coupon", posted(b"", JSON, method)) == []


# What cannot be read is not free


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", JSON),
        (b"\xff\xfe\x00", JSON),
        (b"[" * 60_000, JSON),
        (b"9" * 5_000, JSON),
        (b"not JSON", "text/plain"),
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\nno end", "multipart/form-data"),
        (b"coupon=HALF", FORM + "; charset=utf-16"),
        (b'{"coupon": "HALF"}', JSON + "; charset=utf-7"),
        (b"a&" * 1_001, FORM),
    ],
)
def test_a_body_that_cannot_be_read_counts_as_too_much(body, content_type):
    assert read("body:coupon", posted(body, content_type)) == ([TOO_MUCH] if body else [])


def test_another_charset_cannot_hide_a_value_from_the_door():
    """In GBK the quote after 中 belongs to a character: one value there, another in the view, which reads UTF-8."""
    body = '{"a": "中\\", \\"coupon\\": \\"OTHER", "coupon": "HALF"}'.encode()

    assert read("body:coupon", posted(body, JSON + "; charset=gbk")) == [TOO_MUCH]
    assert read("body:coupon", posted(body, JSON)) == ["HALF"]


def test_utf_16_is_read_as_a_view_reads_it():
    assert read("body:coupon", posted(json.dumps({"coupon": "HALF"}).encode("utf-16"))) == ["HALF"]


@pytest.mark.parametrize("content_type", [FORM, "text/plain", "", "application/octet-stream"])
def test_json_is_found_under_any_type(content_type):
    """Many a view reads JSON without looking at the type."""
    assert "HALF" in read("body:coupon", posted(b'{"coupon": "HALF", "x": "&coupon=OTHER&"}', content_type))


def test_a_long_body_counts_as_too_much_and_is_left_unread():
    request = posted(json.dumps({"coupon": "HALF", "pad": "x" * MOST_BODY_BYTES}))

    assert read("body:coupon", request) == [TOO_MUCH]
    assert request.read(11) == b'{"coupon": '


def test_a_body_that_somebody_read_before_counts_as_too_much():
    request = posted(b'{"coupon": "HALF"}')
    request.read(1)

    assert read("body:coupon", request) == [TOO_MUCH]


def test_more_values_than_a_cart_has_are_one_value_that_all_share():
    items = [{"sku": f"LAMP-{number}"} for number in range(MOST_VALUES + 1)]

    assert len(read("body:items.sku", posted(json.dumps({"items": items[1:]})))) == MOST_VALUES
    assert read("body:items.sku", posted(json.dumps({"items": items}))) == [TOO_MUCH]


def test_deep_nesting_costs_no_more_than_its_bytes():
    """A generator in a generator would hand each of the thirty thousand values through nine hundred hands."""
    deep = "[" * 900 + ",".join(["0"] * 30_000) + "]" * 900
    request = posted(f'{{"sku": {deep}}}')

    assert read("body:sku", request) == ["0"]


# One spelling


@pytest.mark.parametrize(
    "spelling", ["1", "01", " 1 ", "1.0", "1.000 ", "+1", "\u0661", "\uff11", "\u2003\u0966\u0967"]
)
def test_the_spellings_of_a_number_are_one_key(spelling):
    assert tag_of("url:order", spelling) == tag_of("url:order", "1")


@pytest.mark.parametrize("number", ["1", "1.0", "1e0", "true", "1.5", '"1"', '" 01"'])
def test_the_numbers_that_a_database_key_takes_for_one_are_one_key(number):
    """`Order.objects.get(pk=1.5)` finds the first order, and so does `pk=True`."""
    (value,) = read("body:order", posted(f'{{"order": {number}}}'))

    assert tag_of("body:order", value) == tag_of("body:order", "1")


@pytest.mark.parametrize(
    "spelling", ["lamp", "LAMP", " Lamp", "\t\u3000LAMP\n", "\uff2c\uff21\uff2d\uff30", " " * 300 + "lamp"]
)
def test_the_spellings_of_a_word_are_one_key(spelling):
    assert tag_of("body:sku", spelling) == tag_of("body:sku", "lamp")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_beyond_numbers_are_values_too(value):
    assert len(read("body:order", posted(f'{{"order": {value}}}'))) == 1


def test_two_values_and_two_keys_are_apart():
    tags = {tag_of("url:sku", "1"), tag_of("url:sku", "2"), tag_of("body:sku", "1"), tag_of("url:order", "1")}

    assert len(tags) == 4


@pytest.mark.parametrize("value", ["}", "{x}", "}{n:203.0.113.7}", "a}:login", "\ud800", "\x00", "*" * 100_000])
def test_no_value_reaches_into_the_hash_tag(value):
    assert re.fullmatch(r"v:[0-9a-f]{24}", tag_of("url:sku", value))


# Through the door


def test_a_value_in_the_route_is_counted_whoever_asks(http, policies, tracking):
    policies(sku={"key": "url:sku"})
    tracking(TRUSTED_PROXIES=["127.0.0.1/32"])

    statuses = [
        http.get("/items/LAMP/", headers={"X-Forwarded-For": f"203.0.113.{host}"}).status_code for host in range(3)
    ]

    assert statuses == [200, 200, 429]
    assert http.get("/items/DESK/").status_code == 200


@pytest.mark.parametrize("page", ["/plain/", "/plain-async/", "/rest/"])
def test_json_is_counted_and_still_there_for_the_view(http, policies, page):
    policies(code={"key": "body:coupon"})

    answers = [http.send("POST", page, '{"coupon": "HALF"}', JSON) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].json() == {"data": {"coupon": "HALF"}}


@pytest.mark.parametrize("page", ["/plain/", "/plain-async/", "/rest/"])
def test_a_form_with_a_file_is_counted_and_still_there_for_the_view(http, policies, page):
    policies(code={"key": "body:coupon"})

    answers = [
        http.post(page, {"coupon": "HALF", "proof": SimpleUploadedFile("a.txt", b"a picture")}) for _ in range(3)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].json() == {"data": {"coupon": "HALF"}, "files": {"proof": "a picture"}}


def test_a_view_may_still_choose_its_upload_handlers(http, policies):
    policies(code={"key": "body:coupon"})

    answer = http.post(
        "/with-its-own-handlers/", {"coupon": "HALF", "proof": SimpleUploadedFile("a.txt", b"a picture")}
    )

    assert answer.json() == {"data": {"coupon": "HALF"}, "files": {"proof": "a picture"}}


@pytest.mark.parametrize(("body", "content_type"), [('{"coupon": "HALF"}', JSON), ("coupon=HALF", FORM)])
def test_a_put_is_counted_and_still_there_for_rest_framework(http, policies, body, content_type):
    policies(code={"key": "body:coupon"})

    answers = [http.send("PUT", "/rest/", body, content_type) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].json() == {"data": {"coupon": "HALF"}}


def test_json_that_says_it_is_multipart_does_not_break_the_view(http, policies):
    """Reading it as a form would leave no body to read."""
    policies(code={"key": "body:coupon"})

    answer = http.send("POST", "/of-any-type/", '{"coupon": "HALF"}', "multipart/form-data; boundary=x")

    assert answer.json() == {"data": {"coupon": "HALF"}}


def test_a_function_is_named_by_itself_or_by_its_path(http, policies):
    policies(own={"key": coupon_in_body}, path={"key": "tests.urls_keys.secret_of", "rates": ["1/m"]})

    by_coupon = [http.send("POST", "/plain/", '{"coupon": "HALF"}', JSON).status_code for _ in range(3)]
    uncounted = [http.send("POST", "/plain/", "{}", JSON).status_code for _ in range(3)]
    by_secret = [http.send("POST", "/plain/", "{}", JSON, headers={"X-Secret": "s"}).status_code for _ in range(2)]

    assert (by_coupon, uncounted, by_secret) == ([200, 200, 429], [200, 200, 200], [200, 429])


def test_a_function_that_a_body_breaks_counts_as_too_much(http, policies, caplog):
    policies(own={"key": coupon_in_body})

    statuses = [http.send("POST", "/plain/", body, JSON).status_code for body in ("[1]", "{", '"text"')]

    assert statuses == [200, 400, 429]
    assert "tests.urls_keys.coupon_in_body, which raised AttributeError" in caplog.text


def test_user_counts_known_callers_and_no_strangers(http, policies, tracking):
    policies(mine={"key": "user"})
    tracking(KNOWN_CALLER="tests.urls_keys.secret_of")

    strangers = [http.get("/plain/").status_code for _ in range(4)]
    dana = [http.get("/plain/", headers={"X-Secret": "dana"}).status_code for _ in range(3)]
    eve = http.get("/plain/", headers={"X-Secret": "eve"}).status_code

    assert (strangers, dana, eve) == ([200] * 4, [200, 200, 429], 200)


def test_a_body_is_not_read_before_the_networks_own_limits_let_it_pass(policies):
    policies(site={"key": "network", "rates": ["1/m"]}, code={"key": "body:coupon"})
    bodies = [BytesIO(b'{"coupon": "HALF"}') for _ in range(2)]

    statuses = [
        Client().generic("POST", "/plain/", b"x" * 18, JSON, **{"wsgi.input": body}).status_code for body in bodies
    ]

    assert statuses == [200, 429]
    assert [body.tell() for body in bodies] == [18, 0]


def test_a_victims_budget_is_burnt_by_failures_only(http, policies):
    policies(code={"key": "body:coupon", "counts": "failures"})

    good = [http.send("POST", "/plain/", '{"coupon": "HALF"}', JSON).status_code for _ in range(5)]
    bad = [http.send("POST", "/plain/?status=404", '{"coupon": "HALF"}', JSON).status_code for _ in range(3)]

    assert (good, bad) == ([200] * 5, [404, 404, 429])


def test_of_several_values_all_are_counted_or_none(http, policies):
    policies(sku={"key": "body:items.sku"})

    def order(*skus: str) -> int:
        return http.send("POST", "/plain/", json.dumps({"items": [{"sku": sku} for sku in skus]}), JSON).status_code

    order("LAMP"), order("LAMP")
    mixed = [order("DESK", "LAMP"), order("LAMP", "DESK"), order("DESK", "LAMP", "RUG")]

    assert mixed == [429] * 3
    assert [order("DESK"), order("DESK"), order("DESK")] == [200, 200, 429]
    assert order("RUG") == 200


def test_spellings_of_one_value_in_one_request_take_one_place(http, policies, scripts_run):
    """Else one request would burn twenty places of a victim's budget."""
    policies(sku={"key": "url:sku"})
    http.get("/plain/")
    before = scripts_run()

    status = http.get("/plain/?sku=1&sku=01&sku=1.0&sku=%201&sku=lamp&sku=LAMP&sku=Lamp").status_code

    assert (status, scripts_run() - before) == (200, 3)
    assert http.get("/plain/?sku=lamp&sku=1").status_code == 200


def test_no_value_is_in_the_store_the_fields_the_event_the_log_or_the_metrics(http, policies, caplog, monkeypatch):
    policies(code={"key": "body:coupon", "rates": ["1/m"]})

    with udp_receiver() as agent:
        send_to(monkeypatch, agent.environ)
        answers = [http.send("POST", "/plain/", '{"coupon": "HALF-OFF"}', JSON) for _ in range(2)]
        emit.flush()
        metrics = agent.raw
        client.close()

    assert [answer.status_code for answer in answers] == [200, 429]
    assert b"policy:code" in metrics
    assert "code" not in answers[0].get("RateLimit-Policy", "")  # what is left of a victim's is told to nobody
    stored = b"".join(store.get().client.keys("*")) + metrics + answers[1].content
    shown = repr([dict(answer.headers) for answer in answers]) + repr(buffer.take()) + caplog.text
    assert "HALF" not in stored.decode().upper() + shown.upper()


def test_endless_values_make_keys_that_end_by_themselves(http, policies):
    """What they cost until then: under 250 bytes each. The network's own limit bounds how many."""
    policies(sku={"key": "url:sku"})

    for number in range(200):
        http.get(f"/items/LAMP-{number}/")

    valkey = store.get().client
    keys = valkey.keys("*{v:*")
    assert len(keys) == 200
    assert all(0 < valkey.pttl(key) <= 60_001 for key in keys)
    assert max(valkey.memory_usage(key) for key in keys) < 250


def test_no_body_makes_a_500(http, policies):
    policies(code={"key": "body:items.sku", "rates": ["100000/s"]}, site={"rates": ["100000/s"]})
    draw = random.Random(7)
    types = [
        JSON,
        FORM,
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        JSON + "; charset=utf-16",
        "x/y; charset=none",
    ]
    seeds = [
        b'{"items": [{"sku": "LAMP"}]}',
        b"items[0]sku=LAMP&a=%ff",
        b'--x\r\nContent-Disposition: form-data; name="items.sku"\r\n\r\nLAMP\r\n--x--\r\n',
    ]

    statuses = set()
    for _ in range(150):
        body = bytearray(draw.choice(seeds))
        for _ in range(draw.randrange(6)):
            body[draw.randrange(len(body))] = draw.randrange(256)
        statuses.add(http.send("POST", "/plain/", bytes(body), draw.choice(types)).status_code)

    assert statuses <= {200, 400}


@given(
    st.binary(max_size=200) | DOCUMENTS.map(lambda document: json.dumps(document).encode()),
    st.sampled_from(TYPES),
    st.sampled_from(["GET", "POST", "PUT"]),
)
def test_no_body_breaks_the_reading(body, content_type, method):
    for key in ("body:items.sku", "body:sku", "url:sku"):
        values = read(key, posted(body, content_type, method))
        assert len(values) <= MOST_VALUES
        assert all(isinstance(value, str) and tag_of(key, value) for value in values)


# Keys that are none


class CallableOnce:
    def __call__(self, request):
        return None


@pytest.mark.parametrize(
    "key",
    [
        "ip", "url:", "body:",
        "body:a..b", "body: coupon", "url:sku ", "header:x", "", ".", "a..b", None, 5, ["url:sku"],
        "tests.urls_keys.nothing", "tests.urls_keys.not_a_function", "no.such.module",
        "tests.urls_keys.awaited", awaited, lambda request: None, functools.partial(coupon_in_body), CallableOnce(),
    ],
)  # fmt: skip
def test_a_key_that_is_none_says_which_policy_and_what_to_write(key):
    with pytest.raises(BadSetting, match="write") as caught:
        parse_policy("mine", {"rates": ["5/m"], "why": "for a test", "routes": ["*"], "key": key})

    assert "'mine'" in str(caught.value)
