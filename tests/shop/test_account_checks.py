from __future__ import annotations

import pytest
from django.core.checks import Tags, run_checks
from pytest_django import Settings


def found(deploying: bool) -> list[str | None]:
    said = run_checks(tags=[Tags.security], include_deployment_checks=deploying)
    return [each.id for each in said if each.id == "accounts.W001"]


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8000", "http://127.0.0.1", "https://[::1]:8443/shop", "http://0.0.0.0", "http://a.localhost"],
)
def test_links_to_ones_own_machine_are_told_before_customers_get_them(settings: Settings, url: str) -> None:
    """The default is for trying out; in production it would go into every mail unseen."""
    settings.SHOP_URL = url

    assert (found(deploying=True), found(deploying=False)) == (["accounts.W001"], [])


@pytest.mark.parametrize(
    "url", ["https://www.example.com", "https://localhost.example.com", "http://198.51.100.7/shop"]
)
def test_links_to_a_front_end_are_fine(settings: Settings, url: str) -> None:
    settings.SHOP_URL = url

    assert found(deploying=True) == []
