"""The shop with nothing around it."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from shop.graphql.views import ShopGraphQLView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("shop.urls")),
    path("graphql/", ShopGraphQLView.as_view(), name="graphql"),
]
