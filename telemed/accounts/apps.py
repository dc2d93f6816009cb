from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "telemed.accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from telemed.accounts import passwords, receivers, sign_in_audit

        passwords.connect()
        receivers.connect()
        sign_in_audit.connect()
