"""The person's stored language: used when this browser chose none, kept when they choose one."""

from collections.abc import Callable

from django.conf import settings
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

# Sent with ``user`` and ``language`` when somebody who is signed in chose one for their pages.
language_chosen = Signal()


class StoredLanguageMiddleware:
    """Stands after authentication. A choice made in this browser (the cookie) goes first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES and request.user.is_authenticated:
            stored = request.user.language
            if translation.check_for_language(stored):
                translation.activate(stored)
                request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Django's own view, and for somebody signed in also the language of their messages."""
    chosen = request.POST.get("language", "")
    if request.user.is_authenticated and chosen in dict(settings.LANGUAGES):
        request.user.language = chosen
        request.user.save(update_fields=["language"])
        language_chosen.send(sender=None, user=request.user, language=chosen)
    return set_language(request)
