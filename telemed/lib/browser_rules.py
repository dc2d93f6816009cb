"""What a browser is told with every page besides the Content-Security-Policy (see settings)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# W3C Permissions Policy: what pages may ask a device for, and what no page here ever does.
PERMISSIONS = (
    *(
        f"{name}=(self)"
        for name in (
            "camera",
            "microphone",
            "display-capture",
            "fullscreen",
            "picture-in-picture",
            "screen-wake-lock",
            "speaker-selection",
            "autoplay",
            "publickey-credentials-create",
            "publickey-credentials-get",
        )
    ),
    *(f"{name}=()" for name in ("geolocation", "payment", "usb", "serial", "hid", "midi")),
)


class BrowserRules:
    """Sends the permissions policy, and keeps every page of a signed-in person out of caches.

    Stands after authentication. A view that says itself what may be stored is left alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", ", ".join(PERMISSIONS))
        if request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response
