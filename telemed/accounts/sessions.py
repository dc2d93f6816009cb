"""How long a session lasts, and what must never be cut off by that."""

from collections.abc import Callable
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from telemed.accounts.models import User
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock

BEGAN, SEEN = "began_at", "seen_at"
TOUCH_EVERY = timedelta(minutes=1)

_occupations: list[Callable[[User], bool]] = []


def lasts_while(occupied: Callable[[User], bool]) -> None:
    """Register what keeps a session alive past its limits, such as being in a call.

    Called from ``AppConfig.ready``; asked only when a limit has been reached.
    """
    _occupations.append(occupied)


def is_over(began: datetime, seen: datetime, now: datetime) -> bool:
    """Whether a session begun and last used then has passed a limit. Pure but for the settings."""
    return now - began > settings.SESSION_ABSOLUTE or now - seen > settings.SESSION_IDLE


class SessionLimits:
    """Signs out after the idle or the absolute limit, unless the person is in a call.

    Stands after authentication. What a page fetches by itself (HTMX reads) is no sign of life.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if isinstance(user, User):
            self._check(request, user, clock.now())
        return self.get_response(request)

    def _check(self, request: HttpRequest, user: User, now: datetime) -> None:
        stored = request.session.get(BEGAN), request.session.get(SEEN)
        if not all(stored):
            request.session[BEGAN] = request.session[SEEN] = now.isoformat()
            UserSession.objects.create_from_request(request)
            return
        began, seen = (datetime.fromisoformat(str(text)) for text in stored)
        if is_over(began, seen, now) and not any(busy(user) for busy in _occupations):
            _end(request, user)
        elif now - seen >= TOUCH_EVERY and not _by_itself(request):
            request.session[SEEN] = now.isoformat()
            UserSession.objects.create_from_request(request)


def _by_itself(request: HttpRequest) -> bool:
    return request.method == "GET" and request.headers.get("HX-Request") == "true"


def _end(request: HttpRequest, user: User) -> None:
    audit.record("session.expire", Actor("user", user.id), purpose="security")
    UserSession.objects.filter(session_key=request.session.session_key).delete()
    logout(request)
    messages.info(request, _("You were signed out because nothing was done for a while."))
