"""The record of what people did: without personal text, and on PostgreSQL neither changed nor deleted by anybody."""

from django.db import migrations, models

GUARD = """
CREATE FUNCTION ip_tracking_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What somebody did is never changed or deleted: % on %', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ip_tracking_reviewaction
    FOR EACH ROW EXECUTE FUNCTION ip_tracking_append_only();
"""

UNGUARD = """
DROP TRIGGER append_only ON ip_tracking_reviewaction;
DROP FUNCTION ip_tracking_append_only();
"""


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(GUARD, params=None)


def unguard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(UNGUARD, params=None)


class Migration(migrations.Migration):
    dependencies = [("ip_tracking", "0006_review_texts")]

    operations = [
        migrations.AlterField(
            model_name="reviewaction",
            name="network",
            field=models.CharField(default="", max_length=64),
        ),
        migrations.AlterField(
            model_name="reviewaction",
            name="reason",
            field=models.CharField(default="", max_length=500),
        ),
        migrations.RemoveField(model_name="reviewaction", name="network"),
        migrations.RemoveField(model_name="reviewaction", name="reason"),
        migrations.AlterField(model_name="reviewaction", name="batch", field=models.UUIDField(db_index=True)),
        migrations.RunPython(guard, unguard),
    ]
