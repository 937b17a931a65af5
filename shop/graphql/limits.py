"""How much may one document ask? Refused before it is validated, so that what is too much costs little."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from graphql import GraphQLError, GraphQLSchema
from strawberry.extensions import MaxTokensLimiter, SchemaExtension

from shop.graphql import conf
from shop.graphql.guarded import guarded_in
from shop.graphql.weight import Scales, Weight


class Tokens(MaxTokensLimiter):
    """Strawberry's own, at the number of the settings: graphql-core stops reading there."""

    def __init__(self) -> None:
        super().__init__(conf.get().max_tokens)


class Limits(SchemaExtension):
    """Tells in the `extensions` of each answer what the document costs."""

    weight: Weight | None = None

    def on_validate(self) -> Iterator[None]:
        asked = self.execution_context
        schema: GraphQLSchema = asked.schema._schema
        assert asked.graphql_document is not None  # noqa: S101 - validation comes after parsing
        names = _guarded_in(schema)
        try:
            self.weight = Scales(schema, asked.graphql_document, asked.variables or {}, names).weigh()
            refusal = _refusal(self.weight, names)
        except RecursionError:
            refusal = _over("depth", "deeply nested fragments", conf.get().max_depth)
        if refusal is not None:
            # Which strawberry takes for a validation that has taken place.
            asked.pre_execution_errors = [refusal]
        yield

    # `Any`: strawberry's own signature.
    def get_results(self) -> dict[str, Any]:
        if self.weight is None:
            return {}
        return {"cost": {"requested": _short(self.weight.cost), "maximum": conf.get().max_cost}}


def _refusal(weight: Weight, guarded: dict[str, str]) -> GraphQLError | None:
    limits = conf.get()
    for name, requested, maximum in (
        ("depth", weight.depth, limits.max_depth),
        ("aliases", weight.aliases, limits.max_aliases),
        ("fields", weight.fields, limits.max_fields),
        ("cost", weight.cost, limits.max_cost),
    ):
        if requested > maximum:
            return _over(name, requested, maximum)
    number = sum(count for _, count in weight.guarded)
    return None if number < 2 or limits.several_guarded else _several(number, guarded)


def _over(limit: str, requested: object, maximum: int) -> GraphQLError:
    return GraphQLError(
        f"This document asks for too much: its {limit} is {_short(requested)}, and may be {maximum}.",
        extensions={"code": "LIMIT_EXCEEDED", "limit": limit, "requested": _short(requested), "maximum": maximum},
    )


def _short(requested: object) -> object:
    """Fragments within fragments come to numbers that no JSON reader takes."""
    return "more than a billion" if isinstance(requested, int) and requested > 10**9 else requested


def _several(number: int, guarded: dict[str, str]) -> GraphQLError:
    return GraphQLError(
        f"A document may hold one of {', '.join(sorted(guarded))}, also where @skip or @include stands at it. "
        f"This one holds {_short(number)}: send them one by one.",
        extensions={"code": "ONE_AT_A_TIME", "limit": "guarded", "requested": _short(number), "maximum": 1},
    )


@lru_cache(maxsize=8)
def _guarded_in(schema: GraphQLSchema) -> dict[str, str]:
    return guarded_in(schema)
