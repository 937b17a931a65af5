from __future__ import annotations

from django.db import models


class Director(models.Model):
    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class Film(models.Model):
    title = models.CharField(max_length=200)
    year = models.IntegerField()
    director = models.ForeignKey(Director, on_delete=models.CASCADE, related_name="films")

    class Meta:
        ordering = ["title", "pk"]

    def __str__(self) -> str:
        return self.title
