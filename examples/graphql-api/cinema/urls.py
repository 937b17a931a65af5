from __future__ import annotations

from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from films.schema import schema
from strawberry.django.views import GraphQLView

# Exempt: another site's form cannot send JSON, and nothing else is taken.
view = csrf_exempt(GraphQLView.as_view(schema=schema, graphql_ide=None, allow_queries_via_get=False))

urlpatterns = [path("graphql/", view, name="graphql")]
