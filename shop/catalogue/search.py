"""Text in products: PostgreSQL's full-text search where there is one, else plain parts of words."""

from __future__ import annotations

from django.contrib.postgres.search import SearchQuery, SearchVector, SearchVectorExact
from django.db import connection
from django.db.models import Q
from django.db.models.expressions import Combinable

# The language of the shop's texts, to whose stems words are brought: "lamps" finds a lamp.
CONFIG = "english"

# The index of migration 0002 is over this very expression; another one would not find it.
VECTOR = SearchVector("name", "description", config=CONFIG)


def saying(text: str) -> Q | Combinable:
    """All words of the text on PostgreSQL, with "or", "-" and quotes as web searches know them; elsewhere the text as
    it is, within the name or the description.
    """
    if connection.vendor == "postgresql":
        return SearchVectorExact(VECTOR, SearchQuery(text, config=CONFIG, search_type="websearch"))
    return Q(name__icontains=text) | Q(description__icontains=text)
