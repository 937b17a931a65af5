"""Orders of the first checkout keep what they say, and one that waited is settled by the task."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from shop.orders import tasks
from shop.orders.models import FakeCharge, Order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def before() -> Iterator[Any]:
    """The models as they were, on a database that is put back to the newest migration afterwards."""
    executor = MigrationExecutor(connection)
    executor.migrate([("orders", "0001_initial")])
    yield executor.loader.project_state([("orders", "0001_initial")]).apps
    call_command("migrate", "orders", verbosity=0)


def test_every_earlier_order_has_its_payment(before: Any) -> None:
    ada = apps.get_model("accounts.User").objects.create_user("ada")
    placed_at = timezone.now() - timedelta(days=1)
    for state in ("paid", "declined", "placed"):
        row = before.get_model("orders", "Order").objects.create(
            customer_id=ada.pk,
            state=state,
            total="19.90",
            currency="EUR",
            card_last_four="4242",
            payment_reference="r" if state == "paid" else "",
            settled_at=None if state == "placed" else placed_at,
        )
        before.get_model("orders", "Order").objects.filter(pk=row.pk).update(created_at=placed_at)

    call_command("migrate", "orders", verbosity=0)

    paid, declined, waiting = Order.objects.order_by("pk")
    assert [order.state for order in (paid, declined, waiting)] == ["paid", "declined", "paying"]
    payment = paid.payments.get()
    assert (payment.key, payment.state, payment.reference) == (paid.number, "approved", "r")
    assert (str(payment.amount), payment.card_last_four, payment.settled_at) == ("19.90", "4242", placed_at)
    assert (paid.changed_at, paid.expires_at) == (placed_at, placed_at + timedelta(minutes=15))
    assert declined.payments.get().state == "declined"
    FakeCharge.objects.create(key=str(waiting.number), state="captured", amount="19.90", currency="EUR")
    tasks.settle_orders()
    waiting.refresh_from_db()
    assert waiting.state == "paid"
