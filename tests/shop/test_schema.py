from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from drf_spectacular.settings import patched_settings


def test_the_description_of_the_api_has_no_gaps(tmp_path: Path) -> None:
    target = tmp_path / "schema.yml"

    with patched_settings({"POSTPROCESSING_HOOKS": []}):  # the guard's, who tells its limits
        call_command(
            "spectacular", "--fail-on-warn", "--validate", "--urlconf", "tests.shop.urls", "--file", str(target)
        )

    paths = yaml.safe_load(target.read_text())["paths"]
    login, buy = (paths[f"/api/v1/{path}/"]["post"] for path in ("auth/token", "checkout"))
    assert set(login["responses"]) == {"200", "400", "401"}
    assert set(buy["responses"]) == {"201", "400", "401", "402", "409", "422", "504"}
    assert login["requestBody"]["content"]["application/json"]["examples"]
    assert buy["requestBody"]["content"]["application/json"]["examples"]
    assert buy["responses"]["201"]["content"]["application/json"]["examples"]
    assert buy["responses"]["402"]["content"]["application/problem+json"]["examples"]


@pytest.mark.django_db
def test_the_migrations_know_the_models() -> None:
    call_command("makemigrations", "--check", "--dry-run", "accounts", "catalogue", "orders")
