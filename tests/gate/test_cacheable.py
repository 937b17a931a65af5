"""Where a shared cache may keep an answer, by RFC 9111."""

from __future__ import annotations

import pytest
from django.http import HttpResponse

from ip_tracking.gate.cacheable import is_shareable


@pytest.mark.parametrize(
    "control",
    [
        "public",
        "PUBLIC , Max-Age=60",
        "max-age=60",  # nothing says that it is private
        "max-age=0, must-revalidate",
        's-maxage="60"',
        "max-age=60, no-cache",
        'private="Set-Cookie", max-age=60',  # the rest may be kept
        'x="a, private", max-age=60',
        "must-understand, no-store, max-age=60",  # a cache that understands ignores no-store
        ", ,max-age=60,",
        'max-age=60, private="',
    ],
)
def test_a_shared_cache_may_keep(control):
    assert is_shareable(HttpResponse(headers={"Cache-Control": control}))


@pytest.mark.parametrize(
    "control",
    [
        "",
        "no-store",
        "private",
        "private, max-age=60",
        "max-age=60,Private",
        "public, no-store",
        'private, x="public, max-age=60"',
        "no-cache",
        "x-public, publicly, not-max-age=60",
        'x="public"',
        "must-revalidate",
    ],
)
def test_a_shared_cache_may_not_keep(control):
    assert not is_shareable(HttpResponse(headers={"Cache-Control": control}))


@pytest.mark.parametrize(
    ("headers", "may"),
    [
        ({}, False),
        ({"Expires": "Sat, 21 Nov 2026 12:00:00 GMT"}, True),
        ({"Last-Modified": "Sat, 21 Nov 2026 12:00:00 GMT"}, True),
        ({"Last-Modified": "Sat, 21 Nov 2026 12:00:00 GMT", "Cache-Control": "private"}, False),
        ({"ETag": '"1"'}, False),
        ({"Cache-Control": "private", "CDN-Cache-Control": "max-age=60"}, True),
        ({"Cache-Control": "public", "CDN-Cache-Control": "no-store"}, True),
        ({"Cache-Control": "no-store", "Surrogate-Control": "no-store"}, False),
    ],
)
def test_other_fields_than_cache_control_say_it_too(headers, may):
    assert is_shareable(HttpResponse(headers=headers)) == may
