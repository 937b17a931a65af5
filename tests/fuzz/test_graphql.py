"""Schemathesis over the GraphQL schema as a customer and as staff. CONTRIBUTING.md: how to read a failure."""

from __future__ import annotations

import pytest
import schemathesis
from graphql import get_named_type, is_union_type
from hypothesis import strategies as st
from pytest_django import Settings
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.graphql import nodes
from schemathesis.graphql.checks import GraphQLServerError
from schemathesis.schemas import APIOperation

from shop.graphql import errors
from shop.graphql.schema import schema
from tests.fuzz.run import graphql_schema, operations, run
from tests.fuzz.world import World

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("unlimited", "mails_are_written", "quiet", "alone"),
]

CUSTOMER, STAFF = World("customer"), World("staff", is_staff=True)

# What Decimal can read, and what it should not.
DECIMALS = st.one_of(st.decimals(), st.sampled_from(["5", "19.90", "1e999999999", "-0", "1_0"])).map(str)
schemathesis.graphql.scalar("Decimal", DECIMALS.map(nodes.String))


@pytest.fixture(autouse=True)
def wide(settings: Settings) -> None:
    """What is drawn may be as large as it happens to be."""
    limits = ("MAX_COST", "MAX_DEPTH", "MAX_ALIASES", "MAX_FIELDS", "MAX_TOKENS")
    settings.SHOP_GRAPHQL = {**settings.SHOP_GRAPHQL, "SEVERAL_GUARDED": True, **dict.fromkeys(limits, 10**9)}


@pytest.mark.parametrize("visitor", [CUSTOMER, STAFF], ids=lambda visitor: visitor.name)
def test_whatever_is_sent_is_answered_as_the_schema_says(visitor: World) -> None:
    """Nothing sent makes a 5xx or an answer that is not described, and each operation does what it is for."""
    visitor.build()
    made = graphql_schema()

    report = run(made, visitor, did=was_done, counts=is_ours)

    print(report)  # noqa: T201 - shown with a failure, or by `-s`
    assert not report.errors
    assert not report.failures, report.told()
    assert report.phases["stateful"] > 50  # an answer's numbers and slugs were asked for
    assert report.reached == operations(made)


def was_done(operation: APIOperation, response: Response) -> bool:
    """Is there data, and no refusal in its place? Of a union only who says its `__typename` can tell."""
    name = operation.label.partition(".")[2]
    data = (response.json().get("data") or {}).get(name)
    if data is None or not is_union_type(get_named_type(operation.definition.raw.type)):
        return data is not None
    kind = schema._schema.get_type(data.get("__typename", "Refusal"))
    return not any(each.name == "Refusal" for each in getattr(kind, "interfaces", ())) and kind.name != "Refusal"


def is_ours(failure: Failure) -> bool:
    """An error of a field counts where it is unforeseen: FORBIDDEN and NOT_FOUND are answers."""
    if not isinstance(failure, GraphQLServerError):
        return True
    return {error["extensions"]["code"] for error in failure.errors} - set(errors.CODES.values()) != set()
