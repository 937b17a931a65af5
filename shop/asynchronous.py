"""REST framework's view for `async def` handlers: its own dispatch calls them and would hand back a coroutine."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.views import APIView


class AsyncAPIView(APIView):
    """For what nobody need sign in to: who asks is looked up in a database, which is not done here."""

    authentication_classes = []

    # `Any`: the parts of the path, and handlers of any arguments.
    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(self.request, *args, **kwargs)
            response = await self._handler()(self.request, *args, **kwargs)
        # As REST framework's own: what is no refusal is raised again by `handle_exception`.
        except Exception as exc:  # noqa: BLE001
            response = self.handle_exception(exc)
        self.response = self.finalize_response(self.request, response, *args, **kwargs)
        # Rendered here: Django would go to a thread for it.
        self.response.render()
        return HttpResponse(self.response.content, status=self.response.status_code, headers=self.response.headers)

    def _handler(self) -> Any:
        method = (self.request.method or "").lower()
        if method == "options":
            return self._options
        known = method in self.http_method_names
        return getattr(self, method, self._refused) if known else self._refused

    async def _options(self, *args: Any, **kwargs: Any) -> Any:
        return self.options(*args, **kwargs)

    async def _refused(self, *args: Any, **kwargs: Any) -> Any:
        return self.http_method_not_allowed(*args, **kwargs)
