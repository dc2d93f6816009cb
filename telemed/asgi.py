"""The two ASGI applications: ``web`` serves pages, ``media`` serves rooms and nothing else."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telemed.settings")

web = get_asgi_application()
