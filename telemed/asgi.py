"""The two ASGI applications: ``web`` serves pages, ``media`` serves rooms and nothing else.

They run in separate processes: page threads in the media process were measured to delay packets
by up to 0.9 s.
"""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telemed.settings")

web = get_asgi_application()

# After the set-up of Django above: these import models.
from consultations.lifespan import media_process  # noqa: E402
from consultations.routing import websocket_urlpatterns  # noqa: E402
from telemed.lib.lifespan import alive, living  # noqa: E402
from telemed.lib.origin import same_origin  # noqa: E402

media = ProtocolTypeRouter(
    {
        "lifespan": living(media_process),
        "http": alive,
        "websocket": same_origin(URLRouter(websocket_urlpatterns)),
    }
)
