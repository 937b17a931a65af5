from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop import page_size
from shop.errors import refusals
from shop.orders import handling, paying, payment, states
from shop.orders.idempotency import Answer
from shop.orders.models import KeyedRequest, Order, Payment
from shop.orders.payment import Card
from shop.orders.serializers import OrderQuerySerializer, OrderSerializer, PaySerializer
from shop.orders.views import problems
from shop.orders.views.examples import KEYED_EXAMPLES, ORDER, PAYING_EXAMPLES, WRONG_STATE_EXAMPLE
from shop.orders.views.once import KEY, REPLAYED_FIELD, answer_once, key_of, respond
from shop.page_size import page_size_of
from shop.private import PrivateView, owner

ORDER_EXAMPLE = OpenApiExample("An order", ORDER, response_only=True, status_codes=["200"])


def answers(*refused: int) -> dict[int | tuple[int, str], object]:
    return {200: OrderSerializer, **refusals(401, *refused)}


def order_for(request: Request, number: UUID) -> Order:
    """Another customer's order is answered as one that is not there."""
    order = Order.objects.told().seen_by(owner(request)).filter(number=number).first()
    if order is None:
        raise NotFound("There is no such order.")
    return order


def told(request: Request, order: Order) -> Response:
    return Response(OrderSerializer(order_for(request, order.number)).data)


def may_move(request: Request) -> bool:
    user = request.user
    return bool(user.is_authenticated and user.is_staff and user.has_perm("orders.change_order"))


class MovesOrders(BasePermission):
    message = "This is for staff who may change orders."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return may_move(request)


USUAL, MOST = 20, 100
CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous` of another page.")


class OrderPages(CursorPagination):
    """By cursor: a new order moves no page, and nothing is counted."""

    ordering = ("-created_at", "-id")

    def get_page_size(self, request: Request) -> int:
        return page_size_of(request.query_params, USUAL, MOST)

    # `Any`: REST framework's own named tuple.
    def decode_cursor(self, request: Request) -> Any:
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _is_moment(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


def _is_moment(text: str) -> bool:
    """Could this be when an order was made? Whoever makes a cursor themselves can write anything there."""
    try:
        moment = parse_datetime(text)
        return moment is not None and moment.tzinfo is not None and moment.astimezone(UTC).year > 1
    except (ValueError, OverflowError):
        return False


class OrderListView(PrivateView, GenericAPIView[Order]):
    permission_classes = [IsAuthenticated]
    pagination_class = OrderPages
    serializer_class = OrderSerializer
    queryset = Order.objects.told()

    @extend_schema(
        operation_id="orders_list",
        summary="My orders",
        description="Newest first. Staff who may view orders see all.",
        parameters=[OrderQuerySerializer, CURSOR, page_size.described(USUAL, MOST)],
        responses={200: OrderSerializer(many=True), **refusals(400, 401, 404)},
        examples=[ORDER_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        asked = OrderQuerySerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        orders = Order.objects.told().seen_by(owner(request))
        if "state" in asked.validated_data:
            orders = orders.filter(state=asked.validated_data["state"])
        if "customer" in asked.validated_data:
            orders = orders.filter(customer__username=asked.validated_data["customer"])
        page = self.paginate_queryset(orders)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class OrderDetailView(PrivateView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="orders_retrieve", summary="One order", responses=answers(404), examples=[ORDER_EXAMPLE]
    )
    def get(self, request: Request, number: UUID) -> Response:
        return Response(OrderSerializer(order_for(request, number)).data)


class OrderPayView(PrivateView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="orders_pay",
        summary="Pay an order by another card",
        description="While it is `placed` and has not expired: at the price it was placed at. After five declined "
        "cards it is given up.",
        parameters=[KEY, REPLAYED_FIELD],
        request=PaySerializer,
        responses=answers(400, 402, 404, 409, 422, 504),
        examples=[
            OpenApiExample("Another card", {"card": payment.APPROVED}, request_only=True),
            ORDER_EXAMPLE,
            WRONG_STATE_EXAMPLE,
            *PAYING_EXAMPLES,
            *KEYED_EXAMPLES,
        ],
    )
    @sensitive_variables("request")
    def post(self, request: Request, number: UUID) -> Response:
        return respond(pay(request, number, request.data, key_of(request)))


# `Any`: a request's JSON.
@sensitive_variables("body", "asked", "card")
def pay(request: Request, number: UUID, body: Any, key: str) -> Answer:
    """Raises what is wrong with the body, the number or the key; every other refusal is in the answer."""
    asked = PaySerializer(data=body)
    asked.is_valid(raise_exception=True)
    order, card = order_for(request, number), asked.validated_data["card"]
    if order.customer != request.user:
        raise NotFound("There is no such order.")  # staff see it, and pay nobody's
    return answer_once(request, key, body, f"pay {number}", lambda keyed: _pay(request, order, card, keyed))


def _pay(request: Request, order: Order, card: Card, keyed: KeyedRequest) -> Payment:
    try:
        return paying.pay(order, card, payment.provider(), request._request, keyed)
    except states.NotAllowed as exc:
        raise problems.wrong_state(exc.order) from exc


def moved(request: Request, number: UUID, move: Callable[[Order, datetime], None]) -> Response:
    return told(request, move_order(order_for(request, number), move))


def move_order(order: Order, move: Callable[[Order, datetime], None]) -> Order:
    try:
        move(order, timezone.now())
    except states.NotAllowed as exc:
        raise problems.wrong_state(exc.order) from exc
    return order


class OrderCancelView(PrivateView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="orders_cancel",
        summary="Cancel an order",
        description="Before it is shipped. What was paid goes back to the card. Staff may cancel any.",
        request=None,
        responses=answers(403, 404, 409),
        examples=[ORDER_EXAMPLE, WRONG_STATE_EXAMPLE],
    )
    def post(self, request: Request, number: UUID) -> Response:
        return told(request, cancel(request, number))


def cancel(request: Request, number: UUID) -> Order:
    """Raises NotFound, PermissionDenied for a member of staff who may look only, and the problem of its state."""
    order = order_for(request, number)
    if order.customer != request.user and not may_move(request):
        raise PermissionDenied(MovesOrders.message)
    return move_order(order, lambda order, now: handling.cancel(order, payment.provider(), now))


class OrderShipView(PrivateView):
    permission_classes = [MovesOrders]

    @extend_schema(
        operation_id="orders_ship",
        summary="Ship a paid order (staff)",
        request=None,
        responses=answers(403, 404, 409),
        examples=[ORDER_EXAMPLE, WRONG_STATE_EXAMPLE],
    )
    def post(self, request: Request, number: UUID) -> Response:
        return moved(request, number, handling.ship)


class OrderRefundView(PrivateView):
    permission_classes = [MovesOrders]

    @extend_schema(
        operation_id="orders_refund",
        summary="Refund a shipped order (staff)",
        description="The stock stays as it is until somebody has seen the goods.",
        request=None,
        responses=answers(403, 404, 409),
        examples=[ORDER_EXAMPLE, WRONG_STATE_EXAMPLE],
    )
    def post(self, request: Request, number: UUID) -> Response:
        return moved(request, number, lambda order, now: handling.refund(order, payment.provider(), now))
