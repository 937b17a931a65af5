from __future__ import annotations

from django.urls import path
from rates.views import rates, refresh

urlpatterns = [path("rates/", rates, name="rates"), path("rates/refresh/", refresh, name="refresh")]
