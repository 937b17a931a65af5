"""Looking: the queue, one case, its requests, its timeline, its history."""

from __future__ import annotations

from datetime import UTC, datetime

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from ip_tracking.models import Decision, RequestLog, ReviewAction, SuspiciousIP
from ip_tracking.review.charts import SPANS
from ip_tracking.review.stakes import stakes_of
from ip_tracking.review.traffic import FIRST_PERIOD, traffic_of
from ip_tracking.security_api import examples
from ip_tracking.security_api.access import SecurityView
from ip_tracking.security_api.cursor import CURSOR, LIMIT, MOST, USUAL, Page, page_of
from ip_tracking.security_api.filters import NAMES, PARAMETERS, cases_asked_for, refuse_unknown
from ip_tracking.security_api.problem import problems
from ip_tracking.security_api.shapes import (
    MOST_FINDINGS,
    CaseSerializer,
    DeedSerializer,
    EventSerializer,
    TimelineSerializer,
    WholeCase,
    WholeCaseSerializer,
)

# "queue": as the page. "id": by a number that never changes, so that a walk to the end misses no case that was there.
ORDERS = {"queue": ("-severity_rank", "-score", "-last_seen", "-id"), "id": ("id",)}
ORDER, PERIOD = "order", "period"

PAGING = [
    OpenApiParameter(CURSOR, str, description="From `next` of the page before."),
    OpenApiParameter(LIMIT, int, description=f"Rows of a page: {USUAL} unless told, at most {MOST}."),
]
BY = OpenApiParameter(
    ORDER,
    str,
    enum=list(ORDERS),
    default="queue",
    description="`id`: what changes meanwhile is neither missed nor met twice.",
)
NEXT = serializers.CharField(allow_null=True, help_text="The address of the page behind; null: this is the last one.")


class CasePageSerializer(serializers.Serializer[Page]):
    next = NEXT
    results = CaseSerializer(many=True, source="rows")


class EventPageSerializer(serializers.Serializer[Page]):
    next = NEXT
    results = EventSerializer(many=True, source="rows")


class DeedPageSerializer(serializers.Serializer[Page]):
    next = NEXT
    results = DeedSerializer(many=True, source="rows")


def case_with(pk: int) -> SuspiciousIP:
    case = SuspiciousIP.objects.select_related("assignee").filter(pk=pk).first()
    if case is None:
        raise NotFound("There is no such case.")
    return case


def etag(version: int) -> str:
    return f'"{version}"'


class CaseListView(SecurityView):
    @extend_schema(
        operation_id="security_cases_list",
        summary="Cases",
        description="The review queue, the gravest first.",
        parameters=[*PARAMETERS, *PAGING, BY],
        responses={200: CasePageSerializer, **problems(400)},
        examples=examples.CASES,
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params, {*NAMES, CURSOR, LIMIT, ORDER})
        order = ORDERS.get(request.query_params.get(ORDER, "queue"))
        if order is None:
            raise serializers.ValidationError({ORDER: [f"Write one of {', '.join(ORDERS)}."]})
        cases = cases_asked_for(request.query_params, self.actor.id, datetime.now(UTC)).select_related("assignee")
        return Response(CasePageSerializer(page_of(cases, order, request)).data)


class CaseView(SecurityView):
    @extend_schema(
        operation_id="security_cases_retrieve",
        summary="One case",
        description="`ETag` is its version: say it in `If-Match` to decide about what you saw. It grows with what "
        "people and detectors decide, not with every request of an attack, so it is no key to cache by.",
        responses={200: WholeCaseSerializer, **problems(404)},
        examples=examples.CASE,
    )
    def get(self, request: Request, pk: int) -> Response:
        refuse_unknown(request.query_params, ())
        case, now = case_with(pk), datetime.now(UTC)
        whole = WholeCase(
            case,
            list(case.findings.select_related("case")[:MOST_FINDINGS]),
            list(Decision.objects.standing(now).filter(network=case.network)),
            stakes_of(case, now),
        )
        return Response(WholeCaseSerializer(whole).data, headers={"ETag": etag(case.version)})


class EventListView(SecurityView):
    @extend_schema(
        operation_id="security_case_events",
        summary="Requests of a case's network",
        description="As the request log keeps them, the latest first. Texts are a stranger's: show them as data.",
        parameters=PAGING,
        responses={200: EventPageSerializer, **problems(400, 404)},
        examples=examples.EVENTS,
    )
    def get(self, request: Request, pk: int) -> Response:
        refuse_unknown(request.query_params, (CURSOR, LIMIT))
        rows = RequestLog.objects.filter(network=case_with(pk).network)
        return Response(EventPageSerializer(page_of(rows, ("-at", "-id"), request)).data)


class TimelineView(SecurityView):
    @extend_schema(
        operation_id="security_case_timeline",
        summary="Requests of a case's network over time",
        description="By what became of them. Buckets begin at whole hours or days of UTC; the last one holds now.",
        parameters=[OpenApiParameter(PERIOD, str, enum=list(SPANS), default=FIRST_PERIOD)],
        responses={200: TimelineSerializer, **problems(400, 404)},
        examples=examples.TIMELINE,
    )
    def get(self, request: Request, pk: int) -> Response:
        refuse_unknown(request.query_params, (PERIOD,))
        period = request.query_params.get(PERIOD, FIRST_PERIOD)
        if period not in SPANS:
            raise serializers.ValidationError({PERIOD: [f"Write one of {', '.join(SPANS)}."]})
        return Response(TimelineSerializer(traffic_of(case_with(pk).network, period, (), datetime.now(UTC))).data)


class HistoryView(SecurityView):
    @extend_schema(
        operation_id="security_case_history",
        summary="What people did to a case",
        description="The latest first: who, what, why, and the state before and after.",
        parameters=PAGING,
        responses={200: DeedPageSerializer, **problems(400, 404)},
        examples=examples.HISTORY,
    )
    def get(self, request: Request, pk: int) -> Response:
        refuse_unknown(request.query_params, (CURSOR, LIMIT))
        deeds = ReviewAction.objects.filter(case_id=case_with(pk).pk).select_related("text")
        return Response(DeedPageSerializer(page_of(deeds, ("-at", "-id"), request)).data)
