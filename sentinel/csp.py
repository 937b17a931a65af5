"""The Content-Security-Policy of every answer: scripts and styles from our own files only, none written into a page.

Django 6 has a middleware of this name, which reads the same setting: there this file can go.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest

HEADER = "Content-Security-Policy"

# With DEBUG these are Django's own pages for developers, which bring their script and style inside.
DEBUG_PAGES = (404, 500)

Response = Any  # Django's response classes share no typed base with async streaming


def policy(directives: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


class ContentSecurityPolicyMiddleware:
    """Adds the policy of `SECURE_CSP`; an answer that brings a policy of its own keeps it."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._policy = policy(settings.SECURE_CSP)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Response | Awaitable[Response]:
        return self._acall(request) if self._is_async else self._add(self.get_response(request))

    async def _acall(self, request: HttpRequest) -> Response:
        return self._add(await self.get_response(request))

    def _add(self, response: Response) -> Response:
        if not (settings.DEBUG and response.status_code in DEBUG_PAGES):
            response.headers.setdefault(HEADER, self._policy)
        return response
