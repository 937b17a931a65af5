from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("desk/", include("ip_tracking.security_api.urls"))]
