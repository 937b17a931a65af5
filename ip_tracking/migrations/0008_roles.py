"""The roles of the review desk, as groups to put people into."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEWER = ["view_suspiciousip", "view_decision"]
ANALYST = [
    *VIEWER,
    "review_suspiciousip",
    "block_suspiciousip",
    "export_suspiciousip",
    "view_reviewaction",
]
LEAD = [
    *ANALYST,
    "block_long_suspiciousip",
    "allow_suspiciousip",
    "bulk_suspiciousip",
    "undo_suspiciousip",
    "switch_gate",
]
ROLES = {"Security viewer": VIEWER, "Security analyst": ANALYST, "Security lead": LEAD}


def make(apps, schema_editor):
    # Django makes permissions when all migrations are done; these groups need them now.
    app = apps.get_app_config("ip_tracking")
    app.models_module = True
    create_permissions(app, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    app.models_module = None
    Permission = apps.get_model("auth", "Permission")
    for name, codenames in ROLES.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        group.permissions.add(*Permission.objects.filter(content_type__app_label="ip_tracking", codename__in=codenames))
    Permission.objects.filter(content_type__app_label="ip_tracking", codename="act_on_suspiciousip").delete()


def remove(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=ROLES).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("ip_tracking", "0007_append_only"),
    ]

    operations = [migrations.RunPython(make, remove)]
