"""How the tests ask: one document, as a front end would send it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client

PATH = "/graphql/"


def send(
    document: Any, client: Client | None = None, headers: dict[str, str] | None = None, **variables: Any
) -> HttpResponse:
    body = {"query": document, "variables": variables}
    return (client or Client()).post(PATH, body, content_type="application/json", headers=headers or {})


def ask(document: str, client: Client | None = None, headers: dict[str, str] | None = None, **variables: Any) -> Any:
    """Returns `data`; there must be no error."""
    answer = send(document, client, headers, **variables)
    assert answer.status_code == 200, answer.content
    assert "errors" not in answer.json(), answer.json()["errors"]
    return answer.json()["data"]


def refused(answer: HttpResponse) -> dict[str, Any]:
    """Returns the `extensions` of the first error."""
    found: dict[str, Any] = answer.json()["errors"][0]["extensions"]
    return found
