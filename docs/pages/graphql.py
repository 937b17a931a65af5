"""docs/schema.graphql: what can be asked at /graphql/."""

from __future__ import annotations

from shop.graphql.schema import schema

HEAD = "# Made from the code by `make docs`. docs/graphql.md says how to use it.\n\n"


def page() -> str:
    return f"{HEAD}{schema.as_str()}\n"
