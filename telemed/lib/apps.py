from django.apps import AppConfig
from django.contrib.staticfiles.apps import StaticFilesConfig


class LibConfig(AppConfig):
    default = True  # of the two configurations in this file
    name = "telemed.lib"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from telemed.lib import checks  # noqa: F401 - registers by being imported


class StaticFiles(StaticFilesConfig):
    """htmx's extensions are left out: no page uses one, and one imports a file by a name that
    only a bundler resolves."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "hx-*.js"]
