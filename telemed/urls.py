from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from telemed.lib import styleguide
from telemed.lib.language import choose_language

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.urls")),
    path("language/", choose_language, name="set_language"),
]
if not settings.PRODUCTION:
    urlpatterns += [
        path("styleguide/", styleguide.styleguide, name="styleguide"),
        path("styleguide/room/", styleguide.room, name="styleguide_room"),
        path("messages/", include("telemed.messaging.urls")),
    ]
