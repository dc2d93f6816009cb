from django.apps import AppConfig
from django.core import checks


class MessagingConfig(AppConfig):
    name = "telemed.messaging"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from telemed.messaging import written
        from telemed.messaging.checks import delivery_is_configured

        written.register()
        checks.register(delivery_is_configured)
