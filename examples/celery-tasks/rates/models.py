from __future__ import annotations

from django.db import models


class Rate(models.Model):
    currency = models.CharField(max_length=3, primary_key=True)
    in_euro = models.DecimalField(max_digits=12, decimal_places=6)

    class Meta:
        ordering = ["currency"]

    def __str__(self) -> str:
        return f"{self.currency} {self.in_euro}"
