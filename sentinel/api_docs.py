"""The page about the API: Swagger UI from our own files, under a policy that lets in no inline script or style."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.response import Response

from sentinel.csp import HEADER, policy


class ApiDocsView(SpectacularSwaggerSplitView):
    template_name = "sentinel/api_docs.html"

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        """Swagger UI's style sheet holds its icons as data: URLs; no other page may show those."""
        response = super().finalize_response(*args, **kwargs)
        response.headers[HEADER] = policy({**settings.SECURE_CSP, "img-src": ["'self'", "data:"]})
        return response
