"""Every address of the project."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from ip_tracking.api import LimitsView
from metrics.health import healthz, readyz
from metrics.health_page import health_page
from sentinel.api_docs import ApiDocsView
from shop.graphql.views import ShopGraphQLView

admin.site.site_header = "Sentinel"
admin.site.site_title = "Sentinel"
admin.site.index_title = "Security review and shop"

handler400 = "sentinel.api_errors.bad_request"
handler404 = "sentinel.api_errors.not_found"
handler500 = "sentinel.api_errors.server_error"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/v1/", include("shop.urls")),
    path("api/v1/limits/", LimitsView.as_view(), name="limits"),
    path("api/v1/security/", include("ip_tracking.security_api.urls")),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", ApiDocsView.as_view(url_name="schema"), name="api-docs"),
    path("graphql/", ShopGraphQLView.as_view(), name="graphql"),
    path("admin/health/", health_page, name="health"),
    path("admin/", admin.site.urls),
]
