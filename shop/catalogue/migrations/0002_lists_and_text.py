from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import migrations, models

# Not in the model, as other databases have no such index. shop/catalogue/search.py asks by this very expression.
WORDS = GinIndex(SearchVector("name", "description", config="english"), name="product_by_words")


def add_words(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.add_index(apps.get_model("catalogue", "Product"), WORDS)


def remove_words(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.remove_index(apps.get_model("catalogue", "Product"), WORDS)


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="product",
            index=models.Index(fields=["category", "name", "id"], name="product_in_category_by_name"),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(fields=["category", "price", "id"], name="product_in_category_by_price"),
        ),
        migrations.RunPython(add_words, remove_words),
    ]
