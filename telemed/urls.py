from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from telemed.lib.language import choose_language
from telemed.lib.styleguide import styleguide

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.urls")),
    path("language/", choose_language, name="set_language"),
]
if not settings.PRODUCTION:
    urlpatterns += [
        path("styleguide/", styleguide, name="styleguide"),
        path("messages/", include("telemed.messaging.urls")),
    ]
