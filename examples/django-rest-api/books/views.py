from __future__ import annotations

import csv

from django.db.models import Q
from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from books.models import Book
from books.serializers import BookSerializer
from ip_tracking.decorators import limited


class BookViewSet(ModelViewSet):
    """Everybody reads; who is signed in writes."""

    queryset = Book.objects.all()
    serializer_class = BookSerializer

    @action(detail=False)
    def search(self, request: Request) -> Response:
        words = request.query_params.get("q", "")
        found = self.get_queryset().filter(Q(title__icontains=words) | Q(author__icontains=words))
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(found), many=True).data)

    @action(detail=False, permission_classes=[IsAuthenticated])
    @limited("exports")
    def export(self, request: Request) -> HttpResponse:
        response = HttpResponse(content_type="text/csv")
        rows = csv.writer(response)
        rows.writerow(["title", "author", "year"])
        rows.writerows(self.get_queryset().values_list("title", "author", "year"))
        return response
