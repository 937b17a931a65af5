"""How errors look: REST's own problem document in the `extensions`, and the `code` that GraphQL clients look at.

An exception that carries `extensions` is one that somebody meant for the client. graphql-core hands them on by itself;
whoever stands around the shop refuses a login that way, without being known here.
"""

from __future__ import annotations

import logging
from typing import Any, cast

from graphql import GraphQLError, GraphQLSyntaxError
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from strawberry.utils.str_converters import to_camel_case

from shop.errors import render_problem

logger = logging.getLogger(__name__)

# By REST's status; the words are those that Apollo made common.
CODES = {
    400: "BAD_USER_INPUT",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    413: "PAYLOAD_TOO_LARGE",
    503: "SERVICE_UNAVAILABLE",
}
INTERNAL = "INTERNAL_SERVER_ERROR"
SYNTAX, INVALID = "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"

# A name in a document can be as long as the document.
MOST_CHARS = 500

# What REST names otherwise.
ARGUMENTS = {"page_size": "first", "cursor": "after"}

# A problem document is JSON of any shape.
Document = dict[str, Any]


def problem_of(refusal: APIException, request: Request) -> Document:
    """Returns REST's own problem document."""
    return dict(cast("Response", render_problem(refusal, {"request": request})).data)


def document_of(refusal: APIException, request: Request) -> Document:
    """Returns it with the `path` of an argument in place of each JSON pointer, and when to come back."""
    document = problem_of(refusal, request)
    if "errors" in document:
        document["errors"] = with_paths(document["errors"])
    if wait := getattr(refusal, "wait", None):
        document["retry-after"] = int(wait)
    return document


def with_paths(errors: list[dict[str, str]]) -> list[Document]:
    return [{"detail": each["detail"], "path": path_of(each["pointer"])} for each in errors]


def path_of(pointer: str) -> list[str]:
    """Reads "#/items/0/unit_price" as ["items", "0", "unitPrice"]."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    return [ARGUMENTS.get(step, to_camel_case(step)) for step in steps]


def cause_of(error: GraphQLError) -> Exception | None:
    """Returns the exception of ours that an error comes from; None for what the client did wrong."""
    cause: Exception | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    # A value that cannot be read has an exception too; it is the validation's, which knows where in the text it stands.
    return cause if error.path is not None or not error.nodes else None


def is_unforeseen(error: GraphQLError) -> bool:
    cause = cause_of(error)
    meant = isinstance(cause, APIException) or isinstance(getattr(cause, "extensions", None), dict)
    return cause is not None and not meant


def told(error: GraphQLError, request: Request) -> dict[str, Any]:
    """Returns one entry of `errors`. Of what nobody foresaw, the client learns nothing but that it was our fault."""
    cause = cause_of(error)
    entry: dict[str, Any] = {**error.formatted, "message": error.message[:MOST_CHARS]}
    if is_unforeseen(error):
        entry |= {"message": "Something went wrong on our side.", "extensions": {"code": INTERNAL}}
    elif isinstance(cause, APIException):
        document = document_of(cause, request)
        code = CODES.get(document["status"], INTERNAL)
        entry |= {"message": document["detail"], "extensions": {"code": code, **document}}
    elif not error.extensions:
        entry["extensions"] = {"code": SYNTAX if isinstance(error, GraphQLSyntaxError) else INVALID}
    return entry


def log(errors: list[GraphQLError]) -> None:
    """Only what nobody foresaw. Not the error's own text, which quotes the document: a password may stand there."""
    for error in errors:
        if is_unforeseen(error):
            path = ".".join(map(str, error.path or ()))
            logger.error("GraphQL failed at %r.", path, exc_info=cause_of(error))
