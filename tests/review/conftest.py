from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from ip_tracking import cases
from ip_tracking.detection.finding import Finding
from ip_tracking.models import SuspiciousIP
from tests.traffic import NOON

# Where staff sits: not a network that any test acts on.
OFFICE = "192.0.2.10"

Staff = Callable[..., Client]


@pytest.fixture
def staff(db: None) -> Staff:
    """Signs somebody in who may do this much: `staff("view", "review")`."""

    def sign_in(*verbs: str, name: str = "dana", superuser: bool = False) -> Client:
        user: Any = get_user_model().objects.create_user(name, is_staff=True, is_superuser=superuser)
        codenames = [f"{verb}_suspiciousip" for verb in verbs]
        user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
        client = Client(REMOTE_ADDR=OFFICE)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture
def analyst(staff: Staff) -> Client:
    return staff("view", "review", "block", "block_long")


def file(*findings: Finding) -> SuspiciousIP:
    """Files findings of one network; returns its case."""
    cases.file(findings, now=NOON)
    return SuspiciousIP.objects.get(network=findings[0].network)
