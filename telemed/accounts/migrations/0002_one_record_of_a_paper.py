from django.db import migrations, models
from django.db.models import Count


def keep_the_first(apps, schema_editor):
    """Two records that got the same paper at the same moment: the earlier one keeps it."""
    Identifier = apps.get_model("accounts", "PatientIdentifier")
    verified = Identifier.objects.filter(voided_at__isnull=True, verified_at__isnull=False)
    papers = verified.values("value_index").annotate(rows=Count("id"))
    for paper in papers.filter(rows__gt=1):
        same = verified.filter(value_index=paper["value_index"]).order_by("received_at", "id")
        Identifier.objects.filter(id__in=[row.id for row in same[1:]]).update(verified_at=None)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(keep_the_first, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name="patientidentifier",
            constraint=models.UniqueConstraint(
                condition=models.Q(("verified_at__isnull", False), ("voided_at__isnull", True)),
                fields=("value_index",),
                name="one_record_of_a_paper",
            ),
        ),
    ]
