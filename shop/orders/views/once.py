"""An answer under an Idempotency-Key: made once, then repeated as it was."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from shop.errors import MEDIA_TYPE, Problem, render_problem
from shop.orders import idempotency
from shop.orders.idempotency import Answer
from shop.orders.models import KeyedRequest, Order, Payment
from shop.orders.serializers import OrderSerializer
from shop.orders.views import problems
from shop.private import owner

KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description="Yours for this purchase, such as a new UUID. The same request with the same key is answered as the "
    "first was, for 24 hours; one whose payment got no answer is settled by it.",
    examples=[OpenApiExample("A UUID", "5b1f6a3e-2f0c-4c55-9a39-6a1de0c0a9b4")],
)
REPLAYED = "Idempotent-Replayed"
REPLAYED_FIELD = OpenApiParameter(
    REPLAYED,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[HTTPStatus(status).value for status in (200, 201, 400, 402, 409, 422)],
    enum=["true"],
    description="There where this is the answer that the first request with this key was given.",
)
# Seconds until it makes sense to ask a provider that was slow.
ASK_AGAIN_S = "5"


def key_of(request: Request) -> str:
    return str(request.headers.get("Idempotency-Key", ""))


# `Any`: a request's JSON, which is what the key stands for.
def answer_once(
    request: Request,
    key: str,
    asked: Any,
    operation: str,
    pay: Callable[[KeyedRequest], Payment],
    paid: HTTPStatus = HTTPStatus.OK,
) -> Answer:
    """Raises the problem of a key that is none, or is another request's."""

    def run(keyed: KeyedRequest) -> Answer:
        try:
            return answer_of(pay(keyed), paid)
        except (Problem, ValidationError) as refusal:
            return _as_answer(refusal, request)

    try:
        fingerprint = idempotency.fingerprint(operation, asked)
        return idempotency.once(owner(request), idempotency.parse(key), fingerprint, timezone.now(), run)
    except idempotency.BadKey as exc:
        raise problems.bad_key() from exc
    except idempotency.KeyReused as exc:
        raise problems.key_reused() from exc
    except idempotency.InProgress as exc:
        raise problems.in_progress() from exc


def answer_of(payment: Payment, paid: HTTPStatus) -> Answer:
    """Raises the problem that became of it, unless it is paid or its outcome unknown."""
    order = Order.objects.told().get(pk=payment.order_id)
    if payment.state == Payment.State.PENDING:
        problem = problems.timed_out(order)
        return _as_answer(problem, None, final=False)
    if payment.state == Payment.State.DECLINED:
        raise problems.declined(order)
    if payment.state == Payment.State.VOID:
        raise problems.never_made(order)
    return Answer(paid, dict(OrderSerializer(order).data))


def _as_answer(refusal: Problem | ValidationError, request: Request | None, final: bool = True) -> Answer:
    response = cast("Response", render_problem(refusal, {"request": request}))
    return Answer(response.status_code, response.data, final)


def respond(answer: Answer) -> Response:
    response = Response(answer.body, answer.status)
    if answer.status >= HTTPStatus.BAD_REQUEST:
        response.content_type = MEDIA_TYPE
    if answer.status == HTTPStatus.GATEWAY_TIMEOUT:
        response["Retry-After"] = ASK_AGAIN_S
    if answer.replayed:
        response[REPLAYED] = "true"
    return response
