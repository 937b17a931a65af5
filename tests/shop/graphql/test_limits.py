"""What one document may ask for, and that what is too much costs little."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client
from graphql import get_introspection_query

from shop.graphql import conf
from shop.graphql.checks import settings_can_be_used
from tests.shop.graphql.asking import PATH, ask, refused, send

# Each takes some milliseconds alone; on a busy machine many times that. What grows exponentially takes hours.
SOON_S = 5.0


@pytest.fixture
def limits(settings: Any) -> Any:
    def change(**values: Any) -> None:
        settings.SHOP_GRAPHQL = {**settings.SHOP_GRAPHQL, **values}

    return change


def laughs(number: int, each: str = "products { nodes { sku } }") -> str:
    """Each fragment holds the next one twice: 2 to the power of `number`."""
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(number))
    return f"{{ ...F0 }} {chain} fragment F{number} on Query {{ {each} }}"


def fragments(number: int) -> str:
    return " ".join(f"fragment U{n} on Query {{ __typename }}" for n in range(number))


HOSTILE = {
    "billion laughs": laughs(60),
    "billion laughs of logins": laughs(60, 'login(username: "a", password: "b") { __typename }')
    .replace("on Query", "on Mutation")
    .replace("{", "mutation {", 1),
    "a circle": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
    "a circle of fields": "{ ...A } fragment A on Query { categories { ...B } } "
    "fragment B on Category { children { ...B } }",
    "a fragment that is not there": "{ ...Nothing }",
    "aliases": "{" + " ".join(f"a{n}: __typename" for n in range(10_000)) + "}",
    "aliases within the tokens": "{" + " ".join(f"a{n}: __typename" for n in range(300)) + "}",
    "one field again and again": "{" + "__typename " * 990 + "}",
    "one deep field again and again": "{" + "categories { slug } " * 240 + "}",
    "fragments that nobody uses": "{ __typename }" + fragments(140),
    "depth": "{ categories" + " { children" * 100 + " { slug }" + " }" * 101,
    "depth past what a parser takes": "{ categories" + " { children" * 300 + " { slug }" + " }" * 301,
    "directives": "{ __typename " + "@include(if: true) " * 140 + "}",
    "unknown directives": "{ __typename " + "@a " * 450 + "}",
    "variables that are declared": "query (" + " ".join(f"$v{n}: Int" for n in range(180)) + ") { __typename }",
    "lists in lists": "{ product(slug: " + "[" * 450 + "]" * 450 + ") { sku } }",
    "long names": "{" + "a" * 30_000 + "}",
    "introspection in introspection": "{ __schema { types"
    " { fields { type { fields { type { fields { name } } } } } } } }",
    "introspection again and again": "{" + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(5)) + "}",
    "many operations": " ".join(f"query Q{n} {{ categories {{ slug }} }}" for n in range(120)),
    "cost": "{ products(first: 100) { nodes { category { children { children { children { slug } } } } } } }",
    "cost of a page without end": "{ products(first: 99999999999999999999) { nodes { sku } } }",
    "logins": "mutation {"
    + " ".join(f'm{n}: login(username: "ada", password: "{n}") {{ __typename }}' for n in range(25))
    + "}",
}
HARMLESS = {
    "all fragments at one place": "{" + " ".join(f"...U{n}" for n in range(100)) + "}" + fragments(100),
    "depth by inline fragments": "{" + " ... {" * 90 + "__typename" + "}" * 91,
    "depth by fragments": "{ ...D0 }"
    + " ".join(f"fragment D{n} on Query {{ ...D{n + 1} }}" for n in range(90))
    + "fragment D90 on Query { __typename }",
    "a long text": '{ product(slug: "' + "a" * 30_000 + '") { sku } }',
    "no text": '{ product(slug: "\\u0000") { sku } }',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_soon_and_with_a_word(name: str) -> None:
    """No query either: this test has no database."""
    started = time.perf_counter()

    answer = send(HOSTILE[name])

    assert time.perf_counter() - started < SOON_S
    assert answer.status_code in {400, 413}, answer.content[:300]
    assert refused(answer)["code"] in {
        "LIMIT_EXCEEDED",
        "ONE_AT_A_TIME",
        "PAYLOAD_TOO_LARGE",
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
    }
    assert len(answer.content) < 20_000


@pytest.mark.parametrize("name", ["a circle", "a circle of fields"])
def test_a_circle_is_called_one(name: str) -> None:
    assert "within itself" in send(HOSTILE[name]).json()["errors"][0]["message"]


@pytest.mark.parametrize("name", HARMLESS)
def test_an_odd_document_that_asks_for_nothing_is_answered_soon(name: str) -> None:
    started = time.perf_counter()

    ask(HARMLESS[name])

    assert time.perf_counter() - started < SOON_S


@pytest.mark.parametrize(
    "variables",
    [
        {"items": [{"sku": "A"}] * 1_500},
        {"items": [{"sku": 1}] * 1_500},
        {"items": {"sku": {"sku": {}}}},
        {"items": "x" * 30_000},
        {"items": None, "more": [[[[[]]]]] * 1_000},
    ],
    ids=["many", "many wrong", "wrong shape", "a long text", "unasked"],
)
@pytest.mark.django_db
def test_heavy_variables_are_refused_soon(variables: dict[str, Any]) -> None:
    document = (
        'mutation ($items: [Item!]) { checkout(card: "1", idempotencyKey: "12345678", items: $items) { __typename } }'
    )
    started = time.perf_counter()

    answer = send(document, **variables)

    assert time.perf_counter() - started < SOON_S
    assert answer.json()["errors"]
    assert len(answer.content) < 20_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[" * 20_000, 400),
        ('{"query": "{ __typename }", "variables": ' + '{"a":' * 9_000 + "1" + "}" * 9_000 + "}", 400),
        ('{"query": "' + "a " * 40_000 + '"}', 413),
        ("{", 400),
        ("", 400),
        ("null", 400),
        ('"text"', 400),
        ("1", 400),
        ("{}", 400),
        ('{"query": 1}', 400),
        ('{"query": ""}', 400),
        ('{"query": "{ __typename }", "variables": []}', 400),
        ('{"query": "{ __typename }", "operationName": {}}', 400),
        ('{"query": "{ __typename }", "operationName": "Other"}', 400),
        ('{"query": "{ __typename }", "extensions": 1}', 400),
        ('[{"query": "{ __typename }"}, {"query": "{ __typename }"}]', 400),
        ("[]", 400),
        ('{"query": "\\ud800"}', 400),
        ('{"query": "{ __typename }", "variables": {"a": "\\ud800"}}', 400),
        (
            '{"query": "query ($a: String) { products(search: $a) { nodes { sku } } }", "variables": {"a": "\\u0000"}}',
            200,
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
@pytest.mark.django_db
def test_a_body_that_is_no_request_is_told_what_is_wrong(body: str, status: int) -> None:
    """A list of documents too: what counts requests would count it as one."""
    answer = Client().post(PATH, body, content_type="application/json")

    assert answer.status_code == status, answer.content
    if status != 200:
        assert answer["Content-Type"] == "application/json"
        assert set(answer.json()) - {"extensions"} == {"errors"}
        assert refused(answer)["code"]


def test_bytes_that_are_no_text_are_told_so() -> None:
    answer = Client().post(PATH, b'{"query": "\xff\xfe"}', content_type="application/json")

    assert answer.status_code == 400
    assert refused(answer)["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_only_json_is_taken(content_type: str) -> None:
    """A form of another page could send these without asking the browser first."""
    assert Client().post(PATH, '{"query": "{ __typename }"}', content_type=content_type).status_code == 400


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "options"])
def test_nothing_is_done_but_by_post(method: str) -> None:
    answer = getattr(Client(), method)(PATH, {"query": "mutation { emptyCart { token } }"})

    assert answer.status_code == 405
    assert "POST" in answer["Allow"]


def test_a_client_of_graphql_over_http_is_answered_in_its_media_type() -> None:
    headers = {"Accept": "application/graphql-response+json, application/json"}

    good, bad = (send(document, headers=headers) for document in ("{ __typename }", "{ nothing }"))

    assert good["Content-Type"] == bad["Content-Type"] == "application/graphql-response+json"
    assert (good.status_code, bad.status_code) == (200, 400)
    assert good["Cache-Control"] == "private, no-store"


# Cost


@pytest.mark.parametrize(
    ("document", "cost"),
    [
        ("{ __typename }", 0),
        ('{ product(slug: "a") { sku } }', 1),
        ('{ product(slug: "a") { price { amount } category { parent { slug } } } }', 3),
        ("{ categories { ancestors { slug } } }", 250),
        ("{ products { nodes { sku } } }", 21),
        ("{ products(first: 5) { nodes { sku } pageInfo { endCursor } } }", 6),
        ("{ products(first: 5) { ...P } } fragment P on ProductConnection { nodes { category { slug } } }", 11),
        ("query ($n: Int!) { products(first: $n) { nodes { sku } } }", 8),
        ("query ($m: Int! = 3) { products(first: $m) { nodes { sku } } }", 4),
        ("{ products(first: 3) @skip(if: true) { nodes { sku } } }", 4),
        ("{ orders(first: 2) { nodes { lines { sku } payments { state } } } }", 53),
        ('mutation { emptyCart { lines { sku } } }', 30),
        ("{ __schema { types { name } } }", 500),
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_the_cost_is_told_with_each_answer(document: str, cost: int) -> None:
    answer = send(document, n=7).json()

    assert answer["extensions"]["cost"] == {"requested": cost, "maximum": 2_000}


@pytest.mark.parametrize(
    ("setting", "most", "limit"),
    [("MAX_COST", 21, "cost"), ("MAX_DEPTH", 3, "depth"), ("MAX_ALIASES", 2, "aliases"), ("MAX_FIELDS", 5, "fields")],
)
@pytest.mark.django_db
def test_up_to_the_limit_and_no_further(limits: Any, setting: str, most: int, limit: str) -> None:
    """21, 3 levels, 2 aliases and 5 fields."""
    document = "{ a: products { b: nodes { sku name } } __typename }"
    limits(**{setting: most})
    assert send(document).status_code == 200

    limits(**{setting: most - 1})
    told = refused(send(document))

    assert told == {"code": "LIMIT_EXCEEDED", "limit": limit, "requested": most, "maximum": most - 1}


@pytest.mark.django_db
def test_the_text_may_have_so_many_words(limits: Any) -> None:
    limits(MAX_TOKENS=10)

    assert send("{ products { nodes { sku } } }").status_code == 200
    assert refused(send("{ products { nodes { sku } } __typename cart { coupon } }"))["code"] == "GRAPHQL_PARSE_FAILED"


def test_tools_may_ask_what_there_is_unless_told_otherwise(limits: Any) -> None:
    query = get_introspection_query()
    assert ask(query)["__schema"]["queryType"]["name"] == "Query"

    limits(INTROSPECTION=False)

    assert refused(send(query))["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert send("{ __typename }").status_code == 200


# One login, registration, coupon or payment to a document

LOGIN = 'login(username: "ada", password: "wrong") { __typename }'


@pytest.mark.parametrize(
    "document",
    [
        f"mutation {{ a: {LOGIN} b: {LOGIN} }}",
        f'mutation {{ {LOGIN} applyCoupon(code: "A") {{ __typename }} }}',
        f"mutation {{ a: {LOGIN} ... on Mutation {{ b: {LOGIN} }} ... {{ c: {LOGIN} }} }}",
        f"mutation {{ ...L b: {LOGIN} }} fragment L on Mutation {{ {LOGIN} }}",
        f"mutation {{ a: {LOGIN} b: {LOGIN} }}".replace("b: ", "b: ").replace(") {", ") @include(if: false) {"),
        f"mutation One {{ {LOGIN} }} mutation Two {{ {LOGIN} }}",
    ],
    ids=["aliases", "kinds", "inline fragments", "fragments", "directives", "operations"],
)
def test_two_guarded_mutations_are_refused_before_one_is_done(document: str) -> None:
    """Without a database: nothing was asked."""
    answer = send(document)

    told = refused(answer)
    assert (answer.status_code, told["code"], told["maximum"]) == (400, "ONE_AT_A_TIME", 1)
    assert told["requested"] >= 2
    assert "data" not in answer.json()


@pytest.mark.django_db
def test_one_guarded_mutation_goes_with_what_is_not_guarded() -> None:
    found = ask(
        f"mutation {{ {LOGIN} emptyCart {{ coupon }} a: removeCoupon {{ coupon }} b: removeCoupon {{ coupon }} }}"
    )

    assert found["login"] == {"__typename": "LoginRefused"}


@pytest.mark.django_db
def test_a_shop_may_allow_several(limits: Any) -> None:
    limits(SEVERAL_GUARDED=True)

    assert len(ask(f"mutation {{ a: {LOGIN} b: {LOGIN} }}")) == 2


# Settings


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"MAX_COSTS": 5}, "did you mean 'MAX_COST'?"),
        ({"MAX_COST": "5"}, "write a number from 1 on"),
        ({"MAX_DEPTH": 0}, "write a number from 1 on"),
        ({"MAX_DEPTH": True}, "write a number from 1 on"),
        ({"INTROSPECTION": "no"}, "write True or False"),
        ({"GUARD": "shop.nowhere.guard"}, "cannot be imported"),
        ({"GUARD": 5}, "write a function"),
    ],
    ids=str,
)
def test_a_wrong_setting_says_what_to_write(limits: Any, values: dict[str, Any], said: str) -> None:
    limits(**values)

    with pytest.raises(conf.BadSetting, match=said.replace("?", r"\?")):
        conf.get()


def test_e001_tells_a_wrong_setting_at_the_start(limits: Any) -> None:
    assert settings_can_be_used(None) == []
    limits(MAX_COSTS=5)

    assert [message.id for message in settings_can_be_used(None)] == ["graphql.E001"]
