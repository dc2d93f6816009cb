"""The door of every page: who may come in, what a refusal looks like, and what is kept of it."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from allauth.account.internal.flows.reauthentication import (
    did_recently_reauthenticate,
    get_reauthentication_flows,
)
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django_htmx.middleware import HtmxDetails

from telemed.accounts.access import Viewer, viewer
from telemed.accounts.models import Patient
from telemed.accounts.roles import May, Role
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib.refusals import Refused

View = Callable[..., HttpResponseBase]

CONFLICT = 409
FORBIDDEN = 403
BAD_REQUEST = 400
STATUS_BY_CODE = {
    "not_allowed": FORBIDDEN,
    "slot_taken": CONFLICT,
    "hold_expired": CONFLICT,
    "stale": CONFLICT,
}


def _patient(patient_id: UUID) -> UUID | None:
    return patient_id if Patient.objects.filter(id=patient_id).exists() else None


# By the name of a URL's argument: whose data that object holds.
_concerned: dict[str, Callable[[UUID], UUID | None]] = {"patient": _patient}


def concerns(argument: str, patient_of: Callable[[UUID], UUID | None]) -> None:
    """Register, in ``AppConfig.ready``, which patient the object of a URL's argument is about."""
    _concerned[argument] = patient_of


class NotAllowed(Refused):
    """No role of this person opens this page anywhere."""

    def __init__(self) -> None:
        super().__init__("not_allowed", _("Your role does not open this page."))


class NothingToProveWith(Refused):
    """A sensitive act by somebody who has neither password nor second factor."""

    def __init__(self) -> None:
        super().__init__(
            "nothing_to_prove_with",
            _("First set a password or a second step in your account: this act asks for it again."),
        )


def door(*abilities: May, recent_sign_in: bool = False) -> Callable[[View], View]:
    """Lets in whoever is signed in and has one of the abilities somewhere (none named: anybody).

    Where exactly is for the view's ``access`` call to decide. The answer is never stored by a
    browser or proxy. ``Refused`` becomes a readable answer (409 for what was taken or is stale,
    403, else 400) and ``Http404`` a plain 404; both are audited after the rollback.
    ``recent_sign_in`` asks for the password or second factor again before a sensitive act.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return unstored(_to_sign_in(request))
            return unstored(_answer(request, view, abilities, recent_sign_in, args, kwargs))

        entered.abilities = abilities  # type: ignore[attr-defined]
        return entered

    return decorate


def unstored(response: HttpResponseBase) -> HttpResponseBase:
    """Mark an answer as personal: no cache may keep it (RFC 9111 section 5.2.2.5)."""
    response["Cache-Control"] = "no-store, private"
    patch_vary_headers(response, ("Cookie", "HX-Request"))
    return response


def refusal_answer(request: HttpRequest, refused: Refused) -> HttpResponse:
    """The page, or for HTMX the fragment, that tells a person why not."""
    status = STATUS_BY_CODE.get(refused.code, BAD_REQUEST)
    template = "accounts/_refused.html" if _is_htmx(request) else "accounts/refused.html"
    response = render(request, template, {"refused": refused}, status=status)
    if _is_htmx(request):
        response["HX-Retarget"] = "#toasts"
        response["HX-Reswap"] = "innerHTML"
    return response


def _answer(
    request: HttpRequest,
    view: View,
    abilities: tuple[May, ...],
    recent_sign_in: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> HttpResponseBase:
    who = viewer(request)
    try:
        if abilities and not any(who.may(ability) for ability in abilities):
            raise NotAllowed
        if _lacks_second_factor(who):
            return _to(request, "mfa_index")
        if recent_sign_in and not _proved_again(request, who):
            return _to_reauthentication(request)
        return view(request, *args, **kwargs)
    except Refused as refused:
        _audit_refusal(request, who, abilities, refused.code)
        return refusal_answer(request, refused)
    except Http404:
        _audit_refusal(request, who, abilities, "not_found")
        raise


def _proved_again(request: HttpRequest, who: Viewer) -> bool:
    """allauth takes whoever has neither password nor second factor as proved; here they are not."""
    if not get_reauthentication_flows(who.user):
        raise NothingToProveWith
    return bool(did_recently_reauthenticate(request))


def _audit_refusal(
    request: HttpRequest, who: Viewer, abilities: tuple[May, ...], code: str
) -> None:
    match = request.resolver_match
    named = {
        name: value
        for name, value in (match.kwargs if match else {}).items()
        if isinstance(value, UUID)
    }
    ids = list(named.values())
    about = (_concerned[name](named[name]) for name in named if name in _concerned)
    audit.refused(
        (match.view_name if match else "page")[:48],
        _actor(who, abilities),
        code,
        patient=next((patient for patient in about if patient), None),
        subject=("url", ids[0]) if ids else None,
    )


def _actor(who: Viewer, abilities: tuple[May, ...]) -> Actor:
    for ability in abilities:
        if who.may(ability):
            return who.actor(ability)
    held = next((role for role in Role if role in who.roles), None)
    return who.actor(held) if held else Actor("user", who.user.id)


def _lacks_second_factor(who: Viewer) -> bool:
    """Professionals see other people's data, so a password alone does not let them in."""
    if not (settings.SECOND_FACTOR_REQUIRED and who.is_professional):
        return False
    return not is_mfa_enabled(who.user)


def _to(request: HttpRequest, url_name: str) -> HttpResponse:
    if _is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse(url_name)})
    return redirect(url_name)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if _is_htmx(request):
        return _to(request, "account_login")
    return redirect_to_login(request.get_full_path())


def _to_reauthentication(request: HttpRequest) -> HttpResponse:
    """A full page comes back by itself after the password; a fragment's page must be reloaded."""
    if _is_htmx(request):
        back = urlencode({"next": _page_of(request)})
        there = f"{reverse('account_reauthenticate')}?{back}"
        return HttpResponse(status=204, headers={"HX-Redirect": there})
    raise ReauthenticationRequired


def _page_of(request: HttpRequest) -> str:
    """The page that a fragment was asked from."""
    details: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return details.current_url_abs_path or "/"


def _is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))
