"""Does the run tell of what is wrong? On an API that is."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from pytest_django import Settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.fuzz.run import document, run
from tests.fuzz.world import World


class SaidSerializer(serializers.Serializer):
    said = serializers.CharField()


class OpenView(APIView):
    authentication_classes = ()
    permission_classes = ()


class FineView(OpenView):
    @extend_schema(responses=SaidSerializer)
    def get(self, request: Request) -> Response:
        return Response({"said": "fine"})


class FailingView(OpenView):
    @extend_schema(responses=SaidSerializer)
    def get(self, request: Request) -> Response:
        return Response({"said": "oh"}, 500)


class UnlikeView(OpenView):
    @extend_schema(responses=SaidSerializer)
    def get(self, request: Request) -> Response:
        return Response({"said": 7})


class UntoldView(OpenView):
    @extend_schema(responses=SaidSerializer)
    def get(self, request: Request) -> Response:
        return Response({"said": "tea"}, 418)


urlpatterns = [
    path("api/v1/schema/", SpectacularAPIView.as_view()),
    path("fine/", FineView.as_view()),
    path("failing/", FailingView.as_view()),
    path("unlike/", UnlikeView.as_view()),
    path("untold/", UntoldView.as_view()),
]


def test_each_wrong_answer_is_a_failure_and_only_good_ones_count(settings: Settings) -> None:
    """A 5xx, another shape and another status than described: each named with its operation, its check and a curl."""
    settings.ROOT_URLCONF = "tests.fuzz.test_run"
    settings.MIDDLEWARE = []

    report = run(document(phases=("fuzzing",), max_examples=3), World())

    assert {(each.operation, each.check) for each in report.failures.values()} == {
        ("GET /failing/", "not_a_server_error"),
        ("GET /failing/", "status_code_conformance"),
        ("GET /unlike/", "response_schema_conformance"),
        ("GET /untold/", "status_code_conformance"),
    }
    assert report.reached == {"GET /fine/", "GET /unlike/"}
    assert "curl -X GET http://localhost/untold/" in report.told().replace("--insecure ", "")
