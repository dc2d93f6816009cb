from django.apps import AppConfig


class ConsultationsConfig(AppConfig):
    name = "consultations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from consultations import processes, queries, receivers
        from telemed.accounts import sessions
        from telemed.lib import health

        health.register("media", processes.check)
        sessions.lasts_while(queries.is_in_visit)
        receivers.connect()
