"""The schema of /graphql/. docs/schema.graphql is a copy of it for reading."""

from __future__ import annotations

from typing import Any

import strawberry
from graphql import GraphQLError, NoSchemaIntrospectionCustomRule
from strawberry.extensions import AddValidationRules
from strawberry.schema.config import StrawberryConfig

from shop.graphql import conf, errors
from shop.graphql.accounts import AccountMutation, AccountQuery
from shop.graphql.carts import CartMutation, CartQuery
from shop.graphql.catalogue import CatalogueQuery
from shop.graphql.limits import Limits, Tokens
from shop.graphql.orders import OrderMutation, OrderQuery


@strawberry.type
class Query(CatalogueQuery, CartQuery, OrderQuery, AccountQuery):
    pass


@strawberry.type(
    description="What can be guessed, and what costs money or mails, stands alone in its document: register, login, "
    "applyCoupon, checkout, payOrder."
)
class Mutation(AccountMutation, CartMutation, OrderMutation):
    pass


class Introspection(AddValidationRules):
    def __init__(self) -> None:
        super().__init__([] if conf.get().introspection else [NoSchemaIntrospectionCustomRule])


class Schema(strawberry.Schema):
    # `Any`: strawberry's own signature.
    def process_errors(self, errors_: list[GraphQLError], execution_context: Any = None) -> None:
        errors.log(errors_)


schema = Schema(
    query=Query,
    mutation=Mutation,
    config=StrawberryConfig(),
    extensions=[Tokens, Limits, Introspection],
)
