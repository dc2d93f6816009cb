from django.apps import AppConfig
from django.db.models.signals import post_migrate


class SchedulingConfig(AppConfig):
    name = "scheduling"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from scheduling import constraint, messages, queries, receivers
        from telemed.accounts import doors

        doors.concerns("appointment_id", queries.patient_of_appointment)
        doors.concerns("hold_id", queries.patient_of_hold)
        post_migrate.connect(constraint.install, sender=self, dispatch_uid=constraint.NAME)
        messages.register()
        receivers.connect()
