from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "telemed.records"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from telemed.accounts import doors
        from telemed.records import messages, queries

        doors.concerns("consultation_id", queries.patient_of_consultation)
        doors.concerns("note_id", queries.patient_of_note)
        messages.register()
