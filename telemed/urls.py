from allauth.account.decorators import reauthentication_required
from allauth.account.views import change_phone, verify_phone
from allauth.mfa.webauthn.views import add_webauthn
from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from telemed.accounts.passkeys import at_a_name
from telemed.lib import styleguide
from telemed.lib.health import healthz, readyz
from telemed.lib.language import choose_language

handler400 = "telemed.errors.bad_request"
handler403 = "telemed.errors.forbidden"
handler404 = "telemed.errors.not_found"
handler500 = "telemed.errors.failed"

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("accounts/2fa/webauthn/add/", at_a_name(add_webauthn), name="mfa_add_webauthn"),
    # allauth has these pages only where a phone is asked for at sign-up, which we never do.
    path(
        "accounts/phone/change/",
        reauthentication_required(change_phone),
        name="account_change_phone",
    ),
    path("accounts/phone/verify/", verify_phone, name="account_verify_phone"),
    path("accounts/", include("allauth.urls")),
    path("audit/", include("telemed.accounts.audit_urls")),
    path("people/", include("telemed.accounts.staff_urls")),
    path("patients/", include("telemed.accounts.urls")),
    path("", include("consultations.urls")),
    path("language/", choose_language, name="set_language"),
    path("", include("scheduling.urls")),
    path("records/", include("telemed.records.urls")),
    path("", include("telemed.desk.urls")),
]
if not settings.PRODUCTION:
    urlpatterns += [
        path("styleguide/", styleguide.styleguide, name="styleguide"),
        path("styleguide/room/", styleguide.room, name="styleguide_room"),
        path("messages/", include("telemed.messaging.urls")),
    ]
