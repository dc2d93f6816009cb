"""The mail and SMS of the embedded default: /messages/shown/, never in production."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from telemed.messaging.models import ShownMessage

LATEST = 50


@require_safe
@never_cache
def shown(request: HttpRequest) -> HttpResponse:
    """Open to everybody: in development the person at the machine is everybody.

    Links lead to where this reader is: on a phone, ``localhost`` would be the phone itself.
    """
    template = "messaging/_shown.html" if request.htmx else "messaging/shown.html"  # type: ignore[attr-defined]
    here = request.build_absolute_uri("/").rstrip("/")
    latest = ShownMessage.objects.order_by("-shown_at")[:LATEST]
    told = [(one, one.text.replace(settings.PUBLIC_URL, here)) for one in latest]
    return render(request, template, {"shown": told, "zone": settings.TIME_ZONE})
