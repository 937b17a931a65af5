"""What the exporters of all workers share."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class RedisBaseline(models.Model):
    """The last reading of one Redis server that was sent: the next one tells what came since."""

    # Two installations on one database do not take each other's numbers.
    namespace = models.CharField(max_length=100)
    # The id of the server's run: a restarted server is another one, a renamed or promoted one is not. Its address where
    # it hides its id: a socket's path has at most 107 characters, a host's name 253.
    server = models.CharField(max_length=270)
    name = models.CharField(max_length=270)
    marks = models.JSONField()
    databases = models.JSONField(default=list)
    # Which reading this is: who read an older one may not put theirs over it.
    version = models.PositiveBigIntegerField(default=1)
    read_at = models.DateTimeField()

    class Meta:
        default_permissions = ()  # no person edits it
        constraints: ClassVar = [models.UniqueConstraint(fields=["namespace", "server"], name="one_baseline_a_server")]

    def __str__(self) -> str:
        return f"{self.name} at {self.read_at:%Y-%m-%d %H:%M:%S}"
