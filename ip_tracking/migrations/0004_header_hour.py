from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ip_tracking", "0003_policy_hour")]

    operations = [
        migrations.CreateModel(
            name="HeaderHour",
            fields=[
                ("hour", models.DateTimeField(primary_key=True, serialize=False)),
                ("requests", models.PositiveBigIntegerField()),
                (
                    "beyond",
                    models.PositiveBigIntegerField(
                        help_text="Requests whose header had entries left of where the walk ended."
                    ),
                ),
            ],
        ),
    ]
