"""Mutations that somebody around the shop may want to count: what can be guessed, and what costs money or mails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLSchema
from strawberry.extensions import FieldExtension

from shop.graphql import conf
from shop.graphql.context import Info

# One of all these to a document: else a hundred guesses would be one request to whoever counts requests.
ONE_TO_A_DOCUMENT = frozenset({"login", "registration", "coupon", "payment"})


class Guarded(FieldExtension):
    """Asks SHOP_GRAPHQL["GUARD"] before the mutation runs. The kinds are words that a guard understands."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    # `Any`: any mutation's arguments and answer.
    def resolve(self, next_: Callable[..., Any], source: Any, info: Info, **arguments: Any) -> Any:
        conf.get().guard(self.kind, info.context.request)
        return next_(source, info, **arguments)


def guarded_in(schema: GraphQLSchema) -> dict[str, str]:
    """Returns the kinds of the mutations of which a document may have one, by their names."""
    found = {}
    for name, field in schema.mutation_type.fields.items() if schema.mutation_type else ():
        for extension in getattr(field.extensions.get("strawberry-definition"), "extensions", ()):
            if isinstance(extension, Guarded) and extension.kind in ONE_TO_A_DOCUMENT:
                found[name] = extension.kind
    return found
