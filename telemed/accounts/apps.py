from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "telemed.accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from telemed.accounts import passwords, receivers, sessions, sign_in_audit

        passwords.connect()
        receivers.connect()
        sessions.connect()
        sign_in_audit.connect()
