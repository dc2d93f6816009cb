from django.conf import settings
from django.urls import include, path

from telemed.lib.styleguide import styleguide

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
]
if not settings.PRODUCTION:
    urlpatterns += [path("styleguide/", styleguide, name="styleguide")]
