"""What a consumer may ask the guard itself: which limits hold me, and what is left?"""

from __future__ import annotations

from typing import Any

from django.utils.cache import patch_vary_headers
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ip_tracking.gate import limiter
from ip_tracking.gate.fields import Standing, standings
from ip_tracking.gate.plan import Limit, limit_of, plan_named
from ip_tracking.gate.policies import Policy, table
from ip_tracking.operations import covered_by
from ip_tracking.steps import drive
from ip_tracking.visit import Visit, current

EXAMPLE = {
    "caller": "network",
    "policies": [
        {
            "name": "site",
            "covers": ["everything"],
            "limit": 1200,
            "window": 64,
            "counts": "all",
            "cost": 1,
            "remaining": 1187,
            "reset": 41,
        },
        {
            "name": "login",
            "covers": ["POST /api/v1/auth/token/"],
            "limit": 10,
            "window": 60,
            "counts": "failures",
            "cost": 1,
            "remaining": 10,
            "reset": 60,
        },
    ],
}


class PolicySerializer(serializers.Serializer[dict[str, Any]]):
    name = serializers.CharField(help_text="As the fields RateLimit-Policy and RateLimit name it.")
    covers = serializers.ListField(child=serializers.CharField(), help_text='"everything", or operations.')
    limit = serializers.IntegerField(help_text="How many fit into any such window.")
    window = serializers.IntegerField(help_text="In seconds.")
    counts = serializers.ChoiceField(["all", "failures"], help_text="All requests, or only those that failed.")
    cost = serializers.IntegerField(help_text="How many places one request takes.")
    remaining = serializers.IntegerField(allow_null=True, help_text="Null while nobody can tell.")
    reset = serializers.IntegerField(
        allow_null=True, help_text="Seconds for which no more than `remaining` fit; with too few left, until one fits."
    )


class LimitsSerializer(serializers.Serializer[dict[str, Any]]):
    caller = serializers.ChoiceField(["user", "network"], help_text="Who is counted: the signed-in user, or a network.")
    policies = PolicySerializer(many=True)


class LimitsView(APIView):
    """Asks and counts nothing: no place, no query. A blocked or throttled network is refused here as everywhere."""

    free_of_limits = True
    # Who asks is known at the door already; callers whom only REST framework would know are shown their network's.
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []
    renderer_classes = [JSONRenderer]

    @extend_schema(
        summary="My limits",
        description="Which limits hold whoever asks, and what is left of them. Asking counts under none.",
        auth=[],
        responses=LimitsSerializer,
        examples=[OpenApiExample("A stranger", EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        response = Response(LimitsSerializer(_limits(current.get())).data)
        response["Cache-Control"] = "private, no-store"
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response


def _limits(visit: Visit | None) -> dict[str, Any]:
    """No limit holds who came past the door (it is not installed) or is on the allow-list."""
    user = visit.user if visit is not None else ""
    policies = _policies(user) if visit is not None and not visit.exempt else {}
    stand = _standings(visit, policies) if visit is not None and policies else {}
    return {
        "caller": "user" if user else "network",
        "policies": [
            _row(limit, covers, stand.get(limit.name))
            for policy, covers in policies.items()
            for limit in (limit_of(policy, rate) for rate in policy.rates)
        ],
    }


def _policies(user: str) -> dict[Policy, tuple[str, ...]]:
    """What may be told of the table and holds this caller somewhere in the API, with where."""
    told = [policy for policy in table() if policy.is_told and (user or policy.key != "user")]
    return {policy: covers for policy in told if (covers := covered_by(policy))}


def _standings(visit: Visit, policies: dict[Policy, tuple[str, ...]]) -> dict[str, Standing]:
    plan = plan_named(frozenset(policy.name for policy in policies))
    quotas = drive(limiter.peek(visit.client.network, visit.user, plan))
    return {standing.limit.name: standing for standing in standings(quotas)}


def _row(limit: Limit, covers: tuple[str, ...], standing: Standing | None) -> dict[str, Any]:
    return {
        "name": limit.name,
        "covers": covers,
        "limit": limit.rate.limit,
        "window": limit.rate.published_window_s,
        "counts": limit.policy.counts,
        "cost": limit.policy.cost,
        "remaining": standing.remaining if standing else None,
        "reset": standing.reset_s if standing else None,
    }
