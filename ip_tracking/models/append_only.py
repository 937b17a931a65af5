"""Rows that are written once: who did what is never rewritten."""

from __future__ import annotations

from typing import Any

from django.db import models

UNCHANGING = "What somebody did is never changed or deleted: record what is done instead."


class AppendOnly(models.Model):
    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(UNCHANGING)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError(UNCHANGING)
