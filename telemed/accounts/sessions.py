"""How long a session lasts, and what must never be cut off by that."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.signals import password_changed, password_reset
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from telemed.accounts.models import User
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock

BEGAN, SEEN, BROWSER = "began_at", "seen_at", "visit_browser"
TOUCH_EVERY = timedelta(minutes=1)

_occupations: list[Callable[[User], bool]] = []


def lasts_while(occupied: Callable[[User], bool]) -> None:
    """Register what keeps a session alive past its limits, such as being in a call.

    Called from ``AppConfig.ready``; asked only when a limit has been reached.
    """
    _occupations.append(occupied)


def connect() -> None:
    """Called from ``AppConfig.ready``."""
    user_logged_out.connect(_signed_out, dispatch_uid="sessions signed out")
    for changed in (password_changed, password_reset):
        changed.connect(_password_is_another, dispatch_uid="sessions new password")


def remember_browser(request: HttpRequest, browser: UUID) -> None:
    """By which browser (a cookie of the room's) this session goes into visits."""
    request.session[BROWSER] = str(browser)


def browsers_of(user_id: UUID) -> set[str]:
    """The browsers by which this person goes into visits and is signed in still."""
    keys = UserSession.objects.filter(user=user_id).values_list("session_key", flat=True)
    return {SessionStore(key).get(BROWSER, "") for key in keys}


def _signed_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    UserSession.objects.filter(session_key=request.session.session_key).delete()


def _password_is_another(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """A thief's session must not outlive the password that it began with."""
    here = request.session.session_key
    for session in UserSession.objects.filter(user=user).exclude(session_key=here):
        session.end()


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
