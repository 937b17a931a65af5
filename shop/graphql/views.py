"""POST /graphql/: one document, as JSON, answered as JSON."""

from __future__ import annotations

import io
import json
from http import HTTPStatus
from typing import Any

from cross_web import HTTPException
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException, ParseError
from strawberry.django.views import GraphQLView
from strawberry.http import GraphQLHTTPResponse
from strawberry.types import ExecutionResult

from shop.graphql import errors
from shop.graphql.context import Context
from shop.graphql.schema import schema
from shop.parsers import BodyTooLarge, BoundedJSONParser

JSON, GRAPHQL_JSON = "application/json", "application/graphql-response+json"
# Of a document with a hundred mistakes, nobody reads the fortieth.
MOST_ERRORS = 30


# No CSRF token: who asks is told by the Authorization header alone, never by a cookie, so that no page of another
# origin can make a browser speak for its user. (And only JSON is taken, which a plain form cannot send.)
@method_decorator(csrf_exempt, name="dispatch")
class ShopGraphQLView(GraphQLView):
    """Sync: each resolver is Django's ORM, whose connection belongs to one thread, and mutations run one after another
    anyway; an event loop would only hand each of them to a thread and wait.

    POST only: an address is written into logs, and a link must not do anything.
    """

    def __init__(self, **options: Any) -> None:  # `Any`: Django's own
        # No page to try it out: it would load its scripts from somebody else's server.
        super().__init__(**{"schema": schema, "graphql_ide": None, **options})

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            response: HttpResponseBase = _refused(request, HTTPStatus.METHOD_NOT_ALLOWED, "Send it by POST.")
            response["Allow"] = "POST"
            return response
        try:
            response = self.run(request=request)
        except HTTPException as refusal:
            response = _refused(request, HTTPStatus(refusal.status_code), refusal.reason)
        except APIException as refusal:
            response = _refused(request, HTTPStatus(refusal.status_code), str(refusal.detail))
        except RequestDataTooBig:
            response = _refused(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, BodyTooLarge.default_detail)
        except UnicodeDecodeError:
            response = _refused(request, HTTPStatus.BAD_REQUEST, "The body must be JSON in UTF-8.")
        response["Cache-Control"] = "private, no-store"
        return response

    # `Any`, here and below: strawberry's own signatures.
    def get_context(self, request: HttpRequest, response: Any) -> Any:
        return Context(request)

    def decode_json(self, data: str | bytes) -> object:
        asked = BoundedJSONParser().parse(io.BytesIO(data.encode() if isinstance(data, str) else data))
        # A list is told apart by strawberry, which refuses it: many documents would be one request to who counts.
        if not isinstance(asked, dict | list):
            raise ParseError('Send a JSON object: {"query": "...", "variables": {...}}.')
        if not _is_text(asked):
            raise ParseError("A text holds half of a surrogate pair, which no text does.")
        return asked

    def process_result(self, request: HttpRequest, result: ExecutionResult) -> GraphQLHTTPResponse:
        found, was_executed = result.errors or [], _was_executed(result)
        answer: GraphQLHTTPResponse = {}
        if found:
            rest = Context(request).rest
            answer["errors"] = [errors.told(each, rest) for each in found[: None if was_executed else MOST_ERRORS]]
        if was_executed:
            answer["data"] = result.data
        if result.extensions:
            answer["extensions"] = result.extensions
        return answer

    def create_response(self, response_data: Any, sub_response: HttpResponse) -> HttpResponseBase:
        response = super().create_response(response_data, sub_response)
        response["Content-Type"] = _media_type(self.request)
        if "data" not in response_data:
            codes = {error["extensions"]["code"] for error in response_data["errors"]}
            response.status_code = 500 if errors.INTERNAL in codes else 400
        return response


def _is_text(asked: object) -> bool:
    """JSON may spell what no database takes."""
    try:
        json.dumps(asked, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _was_executed(result: ExecutionResult) -> bool:
    """An error without a place in the answer is one of the request."""
    return result.data is not None or all(error.path is not None for error in result.errors or ())


def _refused(request: HttpRequest, status: HTTPStatus, detail: str) -> HttpResponse:
    extensions = {
        "code": errors.CODES.get(status, errors.CODES[400]),
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
    }
    body = {"errors": [{"message": detail, "extensions": extensions}]}
    return HttpResponse(json.dumps(body), status=status, content_type=_media_type(request))


def _media_type(request: HttpRequest) -> str:
    return GRAPHQL_JSON if GRAPHQL_JSON in request.headers.get("Accept", "") else JSON
