"""Sentinel's own project, for what its numbers cost a request of the shop; two caches alike, one of them counted."""

from __future__ import annotations

from sentinel.settings import *  # noqa: F403

CACHES = {
    # Keeps nothing, so that each request asks the database: the shop's own cache is not what is measured.
    "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    "bare": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "bare"},
    "counted": {"BACKEND": "benchmarks.metrics.CountedCache", "LOCATION": "counted"},
}
# As in production: what does not fit the catalogue is dropped.
METRICS = {"STRICT": False, "CACHE_PREFIXES": ["cart", "product"]}
