"""Each operation shows what it takes and gives, and what it shows fits what it promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from pages.openapi import document

from tests.rest.schemas import Direction, json_schema, operations

ROOT = Path(__file__).resolve().parents[2]


def bodies(operation: dict[str, Any]) -> Iterator[tuple[str, Direction, dict[str, Any]]]:
    """Yields each JSON body that an operation takes or gives, by what it is."""
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        if kind.endswith("json"):
            yield f"takes {kind}", "request", body
    for status, answer in operation["responses"].items():
        for kind, body in answer.get("content", {}).items():
            if kind.endswith("json"):
                yield f"{status} {kind}", "response", body


def test_every_operation_shows_the_json_that_it_takes_and_gives():
    missing = [
        f"{name}: {what}"
        for name, operation in operations(document())
        for what, _, body in bodies(operation)
        if what.startswith(("takes", "2")) and not body.get("examples")
    ]

    assert missing == []


def test_every_example_fits_its_schema():
    made = document()
    wrong, held = [], 0
    for name, operation in operations(made):
        for what, direction, body in bodies(operation):
            schema = json_schema(body["schema"], made, direction)
            check = Draft202012Validator(schema, format_checker=FormatChecker())
            for title, example in body.get("examples", {}).items():
                wrong += [f"{name}: {what}: {title}: {error.message}" for error in check.iter_errors(example["value"])]
                held += 1

    assert wrong == []
    assert held > 100


def test_an_example_of_a_refusal_says_the_status_that_it_stands_under():
    wrong = [
        f"{name}: {status}: {title}"
        for name, operation in operations(document())
        for status, answer in operation["responses"].items()
        for title, example in answer.get("content", {}).get("application/problem+json", {}).get("examples", {}).items()
        if str(example["value"]["status"]) != status
    ]

    assert wrong == []


def test_every_problem_that_the_shop_can_answer_is_shown_by_an_operation():
    """A problem's name stands in quotes behind its status, wherever the shop makes one."""
    code = "".join(path.read_text("utf-8") for path in (ROOT / "shop").rglob("*.py"))
    made = set(re.findall(r'HTTPStatus\.[A-Z_]+,\s*"([a-z-]+)"', code))

    assert len(made) > 20
    assert {name for name in made if f"urn:problem-type:shop:{name}'" not in str(document())} == set()
