"""Each order so far had one payment, kept in its own columns: it becomes a row.

An order that was only placed waits for its payment's outcome, which the provider knows by the order's number: it becomes
`paying`, and the task settles it.
"""

from datetime import timedelta

from django.db import migrations
from django.db.models import F

RESERVED = timedelta(minutes=15)
STATES = {"placed": "pending", "paid": "approved", "declined": "declined"}


def add_payments(apps, schema_editor):
    every, payment = apps.get_model("orders", "Order").objects, apps.get_model("orders", "Payment")
    orders = every.filter(state__in=STATES, expires_at=None).order_by("pk")
    payment.objects.bulk_create(
        (_payment(payment, order) for order in orders.iterator(chunk_size=1000)), batch_size=1000
    )
    orders.update(expires_at=F("created_at") + RESERVED)
    every.filter(changed_at=None, settled_at=None).update(changed_at=F("created_at"))
    every.filter(changed_at=None).update(changed_at=F("settled_at"))
    every.filter(state="placed").update(state="paying")


def _payment(model, order):
    return model(
        order=order,
        key=order.number,
        state=STATES[order.state],
        amount=order.total,
        currency=order.currency,
        card_last_four=order.card_last_four,
        reference=order.payment_reference,
        created_at=order.created_at,
        settled_at=order.settled_at,
    )


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_carts_coupons_payments")]

    operations = [migrations.RunPython(add_payments, migrations.RunPython.noop)]
