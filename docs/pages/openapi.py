"""docs/openapi.yaml: the document that /api/v1/schema/ serves, with the shipped limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from rest_framework.permissions import SAFE_METHODS, AllowAny, IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_framework.views import APIView

EVERYBODY, SIGNED_IN = "everybody", "whoever is signed in"
OURS: dict[type, str] = {AllowAny: EVERYBODY, IsAuthenticated: SIGNED_IN}


# Any, here and below: an OpenAPI document is JSON of every shape.
@dataclass(frozen=True, slots=True)
class Described:
    """One operation of the document, and who may ask for it."""

    method: str  # in capitals
    path: str
    operation: dict[str, Any]
    who: str

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def tag(self) -> str:
        return str(self.operation["tags"][0])


def document() -> dict[str, Any]:
    made: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return made


def page() -> str:
    text: bytes = OpenApiYamlRenderer().render(document(), renderer_context={})
    return text.decode()


def operations() -> tuple[dict[str, Any], list[Described]]:
    """Returns the document, and its operations in its order."""
    generator = SchemaGenerator()
    made: dict[str, Any] = generator.get_schema(public=True)
    who = dict(_who_may(generator))
    found = [
        Described(method.upper(), path, operation, who[path, method.upper()])
        for path, item in made["paths"].items()
        for method, operation in item.items()
    ]
    return made, found


def example(content: dict[str, Any]) -> Any:
    """Returns the first example of a body, `None` if there is none."""
    return next((each["value"] for each in content.get("examples", {}).values()), None)


def _who_may(generator: SchemaGenerator) -> Iterator[tuple[tuple[str, str], str]]:
    endpoints: Any = generator.endpoints  # drf-spectacular's have a part more than REST framework's annotation says
    for path, _, method, view in endpoints:
        coerced = generator.coerce_path(path, method, generator.create_view(view, method))
        yield (coerced, method), _of(view.cls, method)


def _of(view: type[APIView], method: str) -> str:
    """The last permission that says who, as a view asks all of them and ours narrow what the first allows."""
    asked = [each for each in view.permission_classes if each is not IsAuthenticatedOrReadOnly]
    if not asked or (IsAuthenticatedOrReadOnly in view.permission_classes and method in SAFE_METHODS):
        return EVERYBODY
    last: Any = asked[-1]
    return OURS.get(last) or str(last.message).removeprefix("This is for ").rstrip(".")
