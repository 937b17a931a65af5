"""What records say of persons moves to rows of their own, which erasure may delete."""

from uuid import uuid4

from django.db import migrations


def move(apps, schema_editor):
    ReviewAction = apps.get_model("ip_tracking", "ReviewAction")
    ReviewText = apps.get_model("ip_tracking", "ReviewText")
    for row in ReviewAction.objects.iterator():
        ReviewAction.objects.filter(pk=row.pk).update(batch=uuid4())  # each was done by itself
        ReviewText.objects.create(action_id=row.pk, network=row.network, reason=row.reason)


def move_back(apps, schema_editor):
    ReviewAction = apps.get_model("ip_tracking", "ReviewAction")
    for text in apps.get_model("ip_tracking", "ReviewText").objects.iterator():
        ReviewAction.objects.filter(pk=text.action_id).update(network=text.network, reason=text.reason)


class Migration(migrations.Migration):
    dependencies = [("ip_tracking", "0005_review")]

    operations = [migrations.RunPython(move, move_back)]
