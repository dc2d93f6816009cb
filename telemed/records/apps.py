from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "telemed.records"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from telemed.records import messages

        messages.register()
