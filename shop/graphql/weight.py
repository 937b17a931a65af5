"""How heavy is a document? Counted before anything of it is validated or executed, in time linear in its text.

What strawberry ships for depth and aliases walks into a fragment again at each of its places: thirty fragments, each of
which holds the next one twice, keep it busy for hours. Here each fragment is weighed once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)
from strawberry.schema_directive import Location

from shop.catalogue.paging import MAX_SIZE

# The whole description of the schema is some hundred kilobytes.
INTROSPECTION_COST = 500


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.OBJECT],
    name="cost",
    description="What one of these costs, in place of 1 for an object and 0 for a plain value.",
)
class Cost:
    weight: int


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description="All below counts as often as this argument says, or as often as this number.",
)
class ListSize:
    slicing_argument: str | None = strawberry.UNSET
    assumed_size: int | None = strawberry.UNSET


@dataclass(frozen=True, slots=True)
class Weight:
    """`guarded`: the names of the guarded mutations, once for each place that one stands at."""

    cost: int = 0
    depth: int = 0
    aliases: int = 0
    fields: int = 0
    guarded: tuple[tuple[str, int], ...] = ()

    def beside(self, other: Weight) -> Weight:
        counts = dict(self.guarded)
        for name, count in other.guarded:
            counts[name] = counts.get(name, 0) + count
        return Weight(
            self.cost + other.cost,
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.fields + other.fields,
            tuple(counts.items()),
        )


NOTHING = Weight()


class Scales:
    """Weighs all operations of one document together. @skip and @include change nothing: what could run is counted.

    `variables` may be what the client sent, unchecked: a page size that is no number counts as the largest. What is
    not in the schema is counted too; that it is not there, the validation says.
    """

    # `Any`: a client's JSON.
    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any], guarded: Mapping[str, str]
    ) -> None:
        self._schema, self._document, self._variables, self._guarded = schema, document, dict(variables), guarded
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._weighed: dict[str, Weight] = {}

    def weigh(self) -> Weight:
        """Raises RecursionError where fragments are nested in fragments too deeply."""
        found = NOTHING
        for each in self._document.definitions:
            if isinstance(each, OperationDefinitionNode):
                for variable in each.variable_definitions or ():
                    if isinstance(variable.default_value, IntValueNode):
                        self._variables.setdefault(variable.variable.name.value, int(variable.default_value.value))
                found = found.beside(self._all_of(each.selection_set, self._root(each.operation)))
        return found

    def _root(self, operation: OperationType) -> GraphQLNamedType | None:
        return self._schema.get_root_type(operation)

    def _all_of(self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None) -> Weight:
        found = NOTHING
        for each in selections.selections if selections else ():
            if isinstance(each, FieldNode):
                found = found.beside(self._field(each, parent))
            elif isinstance(each, FragmentSpreadNode):
                found = found.beside(self._fragment(each.name.value))
            elif isinstance(each, InlineFragmentNode):
                condition = self._schema.get_type(each.type_condition.name.value) if each.type_condition else parent
                found = found.beside(self._all_of(each.selection_set, condition))
        return found

    def _fragment(self, name: str) -> Weight:
        if name not in self._weighed:
            fragment = self._fragments.get(name)
            # Holds for one that is met again within itself; that this is a circle, the validation says.
            self._weighed[name] = NOTHING
            if fragment is not None:
                parent = self._schema.get_type(fragment.type_condition.name.value)
                self._weighed[name] = self._all_of(fragment.selection_set, parent)
        return self._weighed[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Weight:
        name = node.name.value
        field = parent.fields.get(name) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        below = self._all_of(node.selection_set, get_named_type(field.type) if field else None)
        is_introspection = name in ("__schema", "__type")
        mine = self._guarded.get(name) if parent is not None and parent is self._schema.mutation_type else None
        return Weight(
            INTROSPECTION_COST if is_introspection else self._cost(node, field, below.cost),
            # Its own rule of the validation bounds how deep introspection goes.
            0 if is_introspection else 1 + below.depth,
            below.aliases + (node.alias is not None),
            below.fields + 1,
            ((name, 1),) if mine else below.guarded,
        )

    def _cost(self, node: FieldNode, field: GraphQLField | None, below: int) -> int:
        if field is None:
            return below + (node.selection_set is not None)
        own = _declared(field, Cost) or _declared(get_named_type(field.type), Cost)
        one = own.weight if own else int(is_composite_type(get_named_type(field.type)))
        size = self._size(node, field)
        is_list = is_list_type(get_nullable_type(field.type))
        return size * (one + below) if is_list else one + size * below

    def _size(self, node: FieldNode, field: GraphQLField) -> int:
        declared = _declared(field, ListSize)
        if declared is None:
            return 1
        if not declared.slicing_argument:
            return int(declared.assumed_size)
        value = next(
            (each.value for each in node.arguments or () if each.name.value == declared.slicing_argument), None
        )
        if value is None:
            return int(field.args[declared.slicing_argument].default_value)
        if isinstance(value, IntValueNode):
            return _positive(int(value.value[:12]))
        given = self._variables.get(value.name.value) if isinstance(value, VariableNode) else None
        return _positive(given) if type(given) is int else MAX_SIZE


def _positive(number: int) -> int:
    return max(number, 1)


# `Any`: strawberry's own note of what a type or a field was made of.
def _declared(made: GraphQLField | GraphQLNamedType, kind: type) -> Any:
    definition = made.extensions.get("strawberry-definition")
    return next((each for each in getattr(definition, "directives", None) or () if isinstance(each, kind)), None)
