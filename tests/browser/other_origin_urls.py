"""The project's addresses, and some that are deprecated: nothing of the shop is."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("tests.rest.urls")), path("", include("sentinel.urls"))]
